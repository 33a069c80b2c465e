// The owner of the project: scripts/release/owner.json is the one place where it is filled in.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const meaning = {
  homepage: 'the address of the project’s home page',
  repository: 'the address of the git repository',
  bugs: 'the address where issues are filed',
  securityContact: 'a mail or web address for private reports of vulnerabilities',
}

/** @returns {Record<keyof typeof meaning, string>} Throws an Error that names what is empty. */
export function readOwner(root) {
  const owner = JSON.parse(readFileSync(join(root, 'scripts/release/owner.json'), 'utf8'))
  const empty = Object.keys(meaning).filter((key) => typeof owner[key] !== 'string' || owner[key].trim() === '')
  if (empty.length === 0) return owner
  const lines = empty.map((key) => `  ${key}: ${meaning[key]}`)
  throw new Error(`fill in scripts/release/owner.json before a release; empty are\n${lines.join('\n')}`)
}

/** Writes the owner's addresses where users find them: package.json and SECURITY.md. */
export function fillIn(root, owner) {
  const manifestFile = join(root, 'package.json')
  const { name, version, description, ...rest } = JSON.parse(readFileSync(manifestFile, 'utf8'))
  const addresses = {
    homepage: owner.homepage,
    repository: { type: 'git', url: owner.repository },
    bugs: { url: owner.bugs },
  }
  const manifest = { name, version, description, ...rest, ...addresses }
  writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`)

  const policyFile = join(root, 'SECURITY.md')
  const policy = readFileSync(policyFile, 'utf8')
  const filled = policy.replace(/(<!-- contact -->\n)[\s\S]*?(\n<!-- \/contact -->)/, `$1${owner.securityContact}$2`)
  if (!filled.includes(owner.securityContact)) throw new Error('SECURITY.md has no place for the contact')
  writeFileSync(policyFile, filled)
}
