/** The fault matrix as a page: a row for each point, a column for each fault. */
import type { Result } from './matrix.ts'

const signs = { undisturbed: '✓', error: 'e', wrong: '✗' } as const
/** The fault met nothing: no such call or event came any more. */
const untouched = '·'
/** The job did not come to its point in time, so no fault was done. */
const missed = '?'

const head = `# The fault matrix

What became of jobs to which faults were done, at every step of their way. \`npm run faults -- --all\` makes this page; \`--seed N\` chooses which
statements of a dead process take effect after all. Without \`--all\` it runs a sample
([test/faults/main.ts](../test/faults/main.ts)).
A short form runs with the tests: the kills at every point, and every fault of calls and watches to some job, at other points each time.

Each job is held exactly at its point, by a trigger in the database, by a proxy in front of the API server or by the git server, while the fault is
done; a fault of a call hits the next call about the job's pod, one of a watch the next event of it. A job that is connected to its pod by then loses
that connection first, and the fault hits what it opens instead. Faults of processes, clocks and parts of the
stack hit jobs at all points at once; the others hit one job each, many side by side.

- Pods run on simulated nodes: the API server, its watch and exec are real, the node says what a real runner said, and counts the plays that begin.
  A kubelet is killed on a real node (\`--real\`), where a shell in the pod counts; most cells of the columns 403 to 500 were run there too.
- Parts of the stack are killed with SIGKILL and started again at once (\`--stack\`).
- The clock is that of the worker's process: what it reads as the time of day jumps, as when an administrator sets it; its timers, the database and
  Temporal keep theirs. (The kernel's time namespaces do not cover the time of day.)
- *cut before*: the API server never hears of the call; *cut after*: the connection ends when what was asked for is done, before the answer;
  *cut amid*: in the middle of the answer, or of an exec's bytes; *no answer*: neither; *watch silent*: the event is never told.

| sign | meaning |
|---|---|
| ✓ | The job ended as it does undisturbed: one final status, the same output byte by byte, its play started once, no pod and no place left. |
| e | The API server refused what it cannot refuse for a passing reason: the job ended as \`error\` and says why; its play was started once at most, nothing is left. |
| · | ✓, but no call or event of the pod came any more that the fault could have hit: all that was left to do is in the store. |
| ✗ | Something is wrong; see below. |
| ? | The job did not come to its point in time, as on a machine with too much to do: nothing was shown. |
| | Not run. |
`

/** The page for these results; cells that were not run this time stay as `before` has them. */
export function pageOf(results: readonly Result[], before: string, points: string[], faults: string[]): string {
  const cells = cellsOf(before)
  for (const result of results) {
    cells.set(`${result.point}\n${result.fault}`, signOf(result))
  }
  const row = (words: string[]) => `| ${words.join(' | ')} |`
  const rows = points.map((point) => row([point, ...faults.map((fault) => cells.get(`${point}\n${fault}`) ?? '')]))
  const table = [row(['held at', ...faults]), row(['---', ...faults.map(() => ':-:')]), ...rows].join('\n')
  const count = (sign: string) => [...cells.values()].filter((cell) => cell === sign).length
  const counts = `${cells.size} cells: ${count('✓')} ✓, ${count(untouched)} ·, ${count('e')} e, ${count('✗')} ✗, ${count(missed)} ?; ${points.length * faults.length - cells.size} not run.`
  const errors = results
    .filter(({ result }) => result === 'wrong')
    .map((of) => `- ${of.point} × ${of.fault}: ${of.note}`)
  return [head, counts, '', table, ...(errors.length > 0 ? ['', '## What is wrong', '', ...errors] : []), ''].join('\n')
}

function signOf({ result, applied }: Result): string {
  if (applied) return signs[result]
  return { undisturbed: untouched, error: signs.error, wrong: missed }[result]
}

/** The signs of a page, by point and fault. */
function cellsOf(page: string): Map<string, string> {
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((word) => word.trim()),
    )
  const at = rows.findIndex(([first]) => first === 'held at')
  const cells = new Map<string, string>()
  if (at < 0) return cells
  const [, ...faults] = rows[at] ?? []
  for (const [point, ...signs] of rows.slice(at + 2)) {
    for (const [index, sign] of signs.entries()) if (sign) cells.set(`${point}\n${faults[index]}`, sign)
  }
  return cells
}
