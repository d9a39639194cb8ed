import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { answers, freePort, missingServer, startServer } from './server.ts'

const nginx =
  ['/usr/sbin/nginx', '/usr/local/bin/nginx', '/opt/homebrew/bin/nginx'].find(existsSync) ?? '/usr/sbin/nginx'

/** For `test(name, { skip: noNginx }, …)`. */
export const noNginx: string | false = missingServer(nginx)

export interface HttpServer {
  /** Of the folder, ending in `/`. */
  url: string
  /** What is served there. */
  folder: string
  /** Makes a file of it at once, with a time of change of its own: a tag of nginx's is made of second and size. */
  put: (key: string, bytes: Uint8Array | string) => void
  delete: (key: string) => void
  /** What nginx says of a file. */
  describe: (key: string) => Promise<{ size: number; etag: string; lastModified: string }>
  stop: () => Promise<void>
}

/**
 * Starts nginx over a new folder, on a free port.
 *
 * @param locations Blocks of its configuration beside that of the folder, which they name `$files`.
 */
export async function startHttp(locations = ''): Promise<HttpServer> {
  const home = mkdtempSync(join(tmpdir(), 'sluice-http-'))
  const folder = join(home, 'files')
  mkdirSync(folder)
  const port = await freePort()
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${home};`)
  const configuration = `
    daemon off;
    master_process off;
    pid ${home}/pid;
    error_log stderr crit;
    events {}
    http {
      access_log off;
      ${temp.join('\n      ')}
      default_type application/octet-stream;
      types { application/vnd.apache.parquet parquet; application/json json; text/plain txt; }
      server {
        listen 127.0.0.1:${port};
        location /files/ { alias ${folder}/; }
        ${locations.replaceAll('$files', folder)}
      }
    }`
  writeFileSync(join(home, 'nginx.conf'), configuration)
  const server = await startServer(nginx, ['-p', home, '-c', join(home, 'nginx.conf')], {
    isReady: () => answers(`http://127.0.0.1:${port}/`),
  })
  // Whole seconds of the past, no two of them the same.
  let second = Math.floor(Date.now() / 1000) - 1_000_000
  const url = `http://127.0.0.1:${port}/files/`
  return {
    url,
    folder,
    put: (key, bytes) => {
      const path = join(folder, key)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(join(home, 'new'), bytes)
      second++
      utimesSync(join(home, 'new'), second, second)
      renameSync(join(home, 'new'), path)
    },
    delete: key => {
      rmSync(join(folder, key), { force: true })
      let parent = dirname(join(folder, key))
      for (; parent !== folder && readdirSync(parent).length === 0; parent = dirname(parent))
        rmdirSync(parent)
    },
    describe: async key => {
      const { headers } = await fetch(url + key.split('/').map(encodeURIComponent).join('/'), {
        method: 'HEAD',
      })
      const [size, etag = '', lastModified = ''] = ['content-length', 'etag', 'last-modified'].map(
        name => headers.get(name) ?? undefined,
      )
      return { size: Number(size), etag, lastModified }
    },
    stop: async () => {
      await server.stop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
