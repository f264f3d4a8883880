import { ATTEMPTS_PER_ROUND, type DomainJob, type JobName, type OrderJob } from '@certwright/core';
import type { JobsOptions } from 'bullmq';
import Joi from 'joi';
import { defineJob, type JobDefinition } from './define-job';

/** Every job there is. A new field of a payload starts optional: jobs of the release before are still in the queue. */

const orderJob = Joi.object<OrderJob, true>({
  tenantId: Joi.string().uuid().required(),
  orderId: Joi.string().uuid().required(),
  requestId: Joi.string().max(128),
});

const DAY_S = 86_400;

/** For what broke: 1 s, doubled, six times, each off by up to half so that a thousand orders don't retry as one. */
const orderJobOptions: JobsOptions = {
  attempts: ATTEMPTS_PER_ROUND,
  backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
  removeOnComplete: { age: DAY_S, count: 1_000 },
  removeOnFail: { age: 14 * DAY_S, count: 10_000 },
};

const orderDeduplicationId = (payload: OrderJob): string => payload.orderId;

/** Of a scheduler: the next one is never far. */
const passOverAll = {
  schema: Joi.object<Record<string, never>>({}),
  deduplicationId: null,
  options: { attempts: 1, removeOnComplete: { count: 20 }, removeOnFail: { age: DAY_S, count: 100 } },
};

export const catalog: { [N in JobName]: JobDefinition<N> } = {
  'place-order': defineJob({
    name: 'place-order',
    schema: orderJob,
    deduplicationId: orderDeduplicationId,
    options: orderJobOptions,
  }),
  'await-dns': defineJob({
    name: 'await-dns',
    schema: orderJob,
    deduplicationId: orderDeduplicationId,
    options: orderJobOptions,
  }),
  'finalize-order': defineJob({
    name: 'finalize-order',
    schema: orderJob,
    deduplicationId: orderDeduplicationId,
    options: orderJobOptions,
  }),
  'watch-delegation': defineJob({
    name: 'watch-delegation',
    schema: Joi.object<DomainJob, true>({ tenantId: Joi.string().uuid().required(), domainId: Joi.string().uuid().required() }),
    deduplicationId: ({ domainId }) => domainId,
    options: orderJobOptions,
  }),
  'renew-due': defineJob({ name: 'renew-due', ...passOverAll }),
  reconcile: defineJob({ name: 'reconcile', ...passOverAll }),
};

export const JOB_NAMES = Object.keys(catalog) as JobName[];
