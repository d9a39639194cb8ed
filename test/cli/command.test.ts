import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Command, helpOf, Options, parseCall } from '../../src/cli/command.ts'

const command: Command = {
  name: 'copy',
  summary: 'Copies.',
  arguments: ['SRC', 'DEST'],
  options: {
    where: { value: 'SQL', help: 'rows' },
    derive: { value: 'name=SQL', multiple: true, help: 'columns' },
    progress: { help: 'show it' },
    output: { short: 'o', value: 'FILE', help: 'file' },
  },
  async run() {},
}

test('arguments and options are read in any order', () => {
  const call = parseCall(command, [
    'a',
    '--where',
    'x > 1',
    '--derive=b=1',
    'z',
    '--derive',
    'c=2',
    '-o',
    'f',
  ])
  assert.deepEqual(call?.arguments, ['a', 'z'])
  const { options } = call!
  assert.equal(options.text('where'), 'x > 1')
  assert.deepEqual(options.texts('derive'), ['b=1', 'c=2'])
  assert.equal(options.text('output'), 'f')
  assert.equal(options.flag('progress'), undefined)
  assert.equal(parseCall(command, ['a', 'b', '--no-progress'])!.options.flag('progress'), false)
  assert.deepEqual(parseCall(command, ['--', '-a', '--b'])!.arguments, ['-a', '--b'])
})

test('wrong usage says what is wrong and what would be right', () => {
  const wrong: [string[], RegExp][] = [
    [['a', 'b', '--wehre', 'x'], /there is no option '--wehre'. Did you mean '--where'\?/],
    [['a', 'b', '-x'], /there is no option '-x'. '--help' lists the options./],
    [['a'], /DEST is missing. See: sluice copy --help/],
    [['a', 'b', 'c'], /there is no place for the argument 'c'/],
    [['a', 'b', '--where'], /'--where <value>' argument missing/],
    [['a', 'b', '--progress=yes'], /'--progress' does not take an argument/],
  ]
  for (const [args, message] of wrong) {
    assert.throws(() => parseCall(command, args), { code: 'invalid-argument', message }, args.join(' '))
  }
})

test('values are checked by name', () => {
  const options = new Options({ limit: '1e3', lanes: '12', format: 'xml', memory: '' })
  assert.equal(options.count('lanes'), 12)
  assert.equal(options.count('absent'), undefined)
  assert.throws(() => options.count('limit'), /option '--limit': must be a whole number, not '1e3'/)
  assert.throws(() => options.count('memory'), /option '--memory'/)
  assert.throws(() => options.choice('format', ['csv', 'jsonl']), /must be one of csv, jsonl, not 'xml'/)
})

test('lists of columns', () => {
  const names = (text: string) => new Options({ columns: text }).names('columns')
  assert.deepEqual(names('a,b.c'), ['a', 'b.c'])
  assert.deepEqual(names('"a,b","say ""so""",__proto__'), ['a,b', 'say "so"', '__proto__'])
  assert.deepEqual(names('a,""'), ['a', ''])
  assert.throws(() => names('"a'), /option '--columns': '"a' is no list of columns/)
  assert.throws(() => names('a"b'), /is no list of columns/)
})

test('help shows every option', () => {
  const help = helpOf(command)
  assert.match(help, /^Usage: sluice copy SRC DEST \[options\]\n\nCopies\.\n/)
  for (const option of [
    '--where SQL',
    '--derive name=SQL',
    '--progress',
    '-o, --output FILE',
    '--verbose',
    '--help',
  ]) {
    assert.ok(help.includes(option), option)
  }
  assert.equal(parseCall(command, ['--help']), undefined)
})
