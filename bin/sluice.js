#!/usr/bin/env node
// Two steps, so that an old Node is told that it is too old before it meets anything that it does not know.
import('../dist/node-version.js')
  .then(() => import('../dist/cli/main.js'))
  .then(
    cli => cli.main(process.argv.slice(2)),
    error => {
      process.stderr.write(`sluice: ${error.message}\n`)
      process.exitCode = 1
    },
  )
