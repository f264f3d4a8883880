export { createDatabase, type Database } from './database';
export { migrate } from './migrate';
