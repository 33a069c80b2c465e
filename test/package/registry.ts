// A registry of npm on loopback that has a few packages, each in one version.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename } from 'node:path'

export interface Registry {
  address: string
  close(): Promise<void>
}

/** Serves the packed packages. */
export async function startRegistry(tarballs: string[]): Promise<Registry> {
  const packages = new Map<string, object>()
  const files = new Map<string, Buffer>()
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/')
    const file = files.get(path)
    const document = packages.get(path.slice(1))
    if (file !== undefined) response.end(file)
    else if (document !== undefined)
      response.setHeader('content-type', 'application/json').end(JSON.stringify(document))
    else response.writeHead(404, { 'content-type': 'application/json' }).end('{}')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  for (const tarball of tarballs) {
    const bytes = readFileSync(tarball)
    const manifest = JSON.parse(execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' }))
    const path = `/${manifest.name}/-/${basename(tarball)}`
    files.set(path, bytes)
    const dist = {
      tarball: address + path,
      shasum: createHash('sha1').update(bytes).digest('hex'),
      integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
    }
    packages.set(manifest.name, {
      name: manifest.name,
      'dist-tags': { latest: manifest.version },
      // Long ago: some package managers do not install what is a few days old.
      time: { [manifest.version]: '2020-01-01T00:00:00.000Z' },
      versions: { [manifest.version]: { ...manifest, dist } },
    })
  }
  return {
    address,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
