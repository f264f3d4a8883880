export { catalog, JOB_NAMES } from './catalog';
export { createBackend, type QueueBackend, type QueueStore, storeOf } from './connection';
export { createJobQueue, type Producer, type QueueLogger } from './job-queue';
export { migrateQueueSchema } from './queue-schema';
