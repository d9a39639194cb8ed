// Imported before everything else, by the library and by the command: it must parse and run on any Node.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 15)) {
  throw new Error(`Sluice needs Node.js 22.15 or newer, and this is Node.js ${process.versions.node}.`)
}
