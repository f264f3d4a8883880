import type { JobName, JobPayloads } from '@certwright/core';
import type { JobsOptions } from 'bullmq';
import type { ObjectSchema } from 'joi';

export interface JobDefinition<N extends JobName> {
  /** Also the name of its queue: an operator can pause one kind of job, and each has its own concurrency. */
  name: N;
  /** What may be in the payload; a job that fails it is never run. */
  schema: ObjectSchema<JobPayloads[N]>;
  /** At most one waiting, delayed or running job has this id; null: any number. */
  deduplicationId: ((payload: JobPayloads[N]) => string) | null;
  options: JobsOptions;
}

export const defineJob = <N extends JobName>(definition: JobDefinition<N>): JobDefinition<N> => definition;
