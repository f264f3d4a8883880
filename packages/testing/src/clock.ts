import { Client } from 'pg';

/** The time of one database, to be set: everything that Certwright does by the clock asks PostgreSQL for it. */
export interface DatabaseClock {
  /** Stands still at `date` from now on. */
  set(date: Date): Promise<void>;
  /** Later than the real time by so many milliseconds, and running. */
  shift(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** `clock_timestamp()` and `statement_timestamp()` of the database at `url` are what the clock says, for every connection that is opened from now on. */
export async function settableClock(url: string): Promise<DatabaseClock> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`
    CREATE SCHEMA clock;
    CREATE UNLOGGED TABLE clock.setting (stands_at timestamptz, shift interval);
    INSERT INTO clock.setting VALUES (NULL, '0');
    CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
      'SELECT coalesce(stands_at, pg_catalog.clock_timestamp() + shift) FROM clock.setting';
    CREATE FUNCTION clock.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT clock.clock_timestamp()';
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = clock, pg_catalog, public', current_database()); END $$`);
  return {
    async set(date) {
      await client.query('UPDATE clock.setting SET stands_at = $1', [date]);
    },
    async shift(ms) {
      await client.query("UPDATE clock.setting SET stands_at = NULL, shift = $1 * interval '1 millisecond'", [ms]);
    },
    close: () => client.end(),
  };
}
