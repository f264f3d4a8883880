import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPebble, findRedis } from './find-tool';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'find-tool-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const executable = (name: string): string => {
  const path = join(dir, name);
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, 0o755);
  return path;
};

describe('findPebble', () => {
  it('takes the one that PEBBLE names before the one on PATH', () => {
    executable('pebble');
    const named = executable('my-pebble');
    expect(findPebble({ PEBBLE: named, PATH: dir })).toBe(named);
  });

  it('takes the one on PATH before the one that set-up fetched', () => {
    const onPath = executable('pebble');
    expect(findPebble({ PATH: `/nowhere:${dir}` })).toBe(onPath);
  });

  it('says that PEBBLE is wrong instead of taking another one silently', () => {
    executable('pebble');
    writeFileSync(join(dir, 'text'), '');
    chmodSync(join(dir, 'text'), 0o644);
    expect(() => findPebble({ PEBBLE: join(dir, 'absent'), PATH: dir })).toThrow(/PEBBLE is set to .*absent/);
    expect(() => findPebble({ PEBBLE: dir, PATH: dir })).toThrow(/not an executable file/);
  });
});

describe('findRedis', () => {
  it('takes redis-server, or valkey-server where there is no other, and leaves the libraries to the system', () => {
    const valkey = executable('valkey-server');
    expect(findRedis({ PATH: dir })).toEqual({ executable: valkey, env: {} });
    const redis = executable('redis-server');
    expect(findRedis({ PATH: dir })).toEqual({ executable: redis, env: {} });
    expect(findRedis({ REDIS_SERVER: valkey, PATH: dir })).toEqual({ executable: valkey, env: {} });
  });

  it('says that REDIS_SERVER is wrong instead of taking another one silently', () => {
    executable('redis-server');
    expect(() => findRedis({ REDIS_SERVER: join(dir, 'absent'), PATH: dir })).toThrow(/REDIS_SERVER is set to .*absent/);
  });
});
