import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { onPath, run, TOOLS } from './step.mjs';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

export const isDebian = () => onPath('apt-get') !== null && onPath('dpkg-deb') !== null && existsSync(KEYRING);

/**
 * Unpacks Debian packages into `.certwright/tools/<name>`. Nothing is installed: no service starts, no root is needed, and
 * the machine's own package lists stay as they are. `suite` takes them from another Debian release, through the mirror
 * that this machine's apt is configured for.
 */
export function unpackFromDebian(name, packages, { suite, withDependencies, otherwise }) {
  mkdirSync(TOOLS, { recursive: true });
  const work = mkdtempSync(path.join(TOOLS, `.${name}-`));
  try {
    const apt = privateApt(work, suite, otherwise);
    apt(['update', '-qq']);
    if (withDependencies) {
      apt(['install', '-qq', '-y', '--download-only', '--no-install-recommends', '--reinstall', ...packages]);
    } else {
      apt(['download', '-qq', ...packages], path.join(work, 'archives'));
    }
    const tree = path.join(work, 'tree');
    for (const file of readdirSync(path.join(work, 'archives')).filter((one) => one.endsWith('.deb'))) {
      run('dpkg-deb', ['-x', path.join(work, 'archives', file), tree], { otherwise });
    }
    rmSync(path.join(TOOLS, name), { recursive: true, force: true });
    renameSync(tree, path.join(TOOLS, name));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** apt-get with lists, archives and locks of its own. */
function privateApt(work, suite, otherwise) {
  for (const folder of ['lists/partial', 'archives/partial']) mkdirSync(path.join(work, folder), { recursive: true });
  const options = [
    `Dir::State::lists=${work}/lists`,
    `Dir::Cache::archives=${work}/archives`,
    `Dir::Cache::pkgcache=`,
    `Dir::Cache::srcpkgcache=`,
    'Debug::NoLocking=true',
    'APT::Sandbox::User=root',
  ];
  if (suite) {
    writeFileSync(path.join(work, 'sources.list'), `deb [signed-by=${KEYRING}] ${mirror(otherwise)} ${suite} main\n`);
    options.push(`Dir::Etc::sourcelist=${work}/sources.list`, 'Dir::Etc::sourceparts=-');
  }
  const flags = options.flatMap((option) => ['-o', option]);
  return (args, cwd) => run('apt-get', [...flags, ...args], { otherwise, ...(cwd && { cwd }) });
}

/** The mirror that this machine's own apt sources name, whatever form they are written in. */
function mirror(otherwise) {
  const sites = run('apt-get', ['indextargets', '--format', '$(SITE)', 'Created-By: Packages'], { otherwise }).split('\n');
  const main = sites.find((site) => /debian/i.test(site) && !/security/i.test(site));
  if (main) return main.trim();
  const configured = run('sh', ['-c', 'cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true'], { otherwise });
  const url = /https?:\/\/\S+/.exec(configured.replace(/\S*security\S*/g, ''))?.[0];
  if (url) return url;
  throw new Error(`apt has no Debian mirror configured. ${otherwise}`);
}
