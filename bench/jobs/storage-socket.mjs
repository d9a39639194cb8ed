/**
 * The bytes of the task between this process and another one, by sockets of the loopback and without any protocol:
 * `node bench/jobs/storage-socket.mjs TASK`. A request is two numbers of 32 bits in MiB/16: how much comes with it and
 * how much is to be answered.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { piece } from './storage-support.mjs'
import { measure, task } from './support.mjs'

/** What both numbers count. */
const UNIT = 64 * 1024

/** Answers requests; one at a time on each connection. */
const server = `
  const { createServer } = require('node:net')
  const unit = Buffer.alloc(${UNIT}), block = Buffer.alloc(1024 * 1024)
  createServer(socket => {
    let head = Buffer.alloc(0), left = 0, answer = 0
    const send = () => {
      while (answer > 0) {
        const bytes = answer >= 16 ? block : unit
        answer -= bytes.length / ${UNIT}
        if (!socket.write(bytes)) return socket.once('drain', send)
      }
    }
    socket.on('error', () => undefined).on('data', bytes => {
      while (bytes.length > 0) {
        if (left === 0) {
          head = Buffer.concat([head, bytes.subarray(0, 8 - head.length)])
          bytes = bytes.subarray(head.length)
          if (head.length < 8) return
          left = head.readUInt32LE(0) * ${UNIT}
          answer = head.readUInt32LE(4)
          head = Buffer.alloc(0)
        }
        const taken = Math.min(left, bytes.length)
        left -= taken
        bytes = bytes.subarray(taken)
        if (left === 0) answer === 0 ? socket.write('.') : send()
      }
    })
  }).listen(0, '127.0.0.1', function () { console.log(this.address().port) })`

const child = spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'pipe', 'inherit'] })
const [port] = await once(child.stdout, 'data')

/** A connection that knows no more than how many bytes are still to come. */
class Peer {
  #left = 0
  #arrived = () => undefined

  async open() {
    const memory = Buffer.allocUnsafe(1024 * 1024)
    const callback = length => {
      this.#left -= length
      if (this.#left === 0) this.#arrived()
    }
    this.socket = connect({ port: Number(port), host: '127.0.0.1', onread: { buffer: memory, callback } })
    await once(this.socket, 'connect')
    this.socket.setNoDelay()
    return this
  }

  /** Sends some pieces and waits for so many bytes, or for a sign that all have come. */
  async exchange(sent, pieces, answered) {
    const head = Buffer.alloc(8)
    head.writeUInt32LE(sent / UNIT, 0)
    head.writeUInt32LE(answered / UNIT, 4)
    this.#left = answered === 0 ? 1 : answered
    const all = new Promise(resolve => (this.#arrived = resolve))
    this.socket.write(head)
    for (const bytes of pieces) {
      if (!this.socket.write(bytes)) await once(this.socket, 'drain')
    }
    await all
  }
}

await measure(process.version, async () => {
  const peers = await Promise.all(Array.from({ length: 16 }, () => new Peer().open()))
  const [first] = peers
  const put = task.kind === 'put-small'
  switch (task.kind) {
    case 'get-large':
      await first.exchange(0, [], task.large)
      break
    case 'put-large':
      await first.exchange(task.large, largePieces(), 0)
      break
    case 'copy-streamed':
      await Promise.all([first.exchange(0, [], task.large), peers[1].exchange(task.large, largePieces(), 0)])
      break
    default: {
      let next = 0
      const worker = async peer => {
        for (let i = next++; i < task.small; i = next++) {
          if (put) await peer.exchange(task.smallBytes, [piece(i, task.smallBytes)], 0)
          else await peer.exchange(0, [], task.smallBytes)
        }
      }
      await Promise.all(peers.map(worker))
    }
  }
  for (const { socket } of peers) socket.destroy()
  return { rows: 1 }
})
child.kill()

function* largePieces() {
  for (let i = 0; i * 1024 * 1024 < task.large; i++) yield piece(i)
}
