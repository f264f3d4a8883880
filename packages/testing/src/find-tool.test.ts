import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPebble } from './find-tool';

describe('findPebble', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'find-pebble-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const executable = (name: string): string => {
    const path = join(dir, name);
    writeFileSync(path, '#!/bin/sh\n');
    chmodSync(path, 0o755);
    return path;
  };

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
