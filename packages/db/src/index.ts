export { createDatabase, type Database } from './database';
export { migrate } from './migrate';
export { createZoneDatabase, type ZoneDatabase } from './zone-store';
