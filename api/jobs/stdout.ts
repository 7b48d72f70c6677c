import { ansiToHtml, stripAnsi } from '../../model/ansi.ts'
import type { Database } from '../../store/database.ts'
import { type LineRange, readStdout, stdoutSize } from '../../store/stdout.ts'
import { bodyStream } from '../body-stream.ts'
import type { RequestContext } from '../context.ts'
import { BadRequestError } from '../errors.ts'
import { titled } from '../registry.ts'
import type { Action, ActionInput, ActionResult } from '../resource.ts'
import type { JobRow } from './fields.ts'
import { chooseStdoutFormat, type StdoutFormat } from './stdout-format.ts'
import { refusalPage, stdoutPage } from './stdout-page.ts'

/** More than this is only offered as a download, whatever part of it is asked for. */
const maxShownBytes = 1024 * 1024

/** `…/stdout/` of a kind of job in AWX's formats; `kind` begins the name of downloaded files. */
export function stdoutAction(
  kind: 'job' | 'project_update' | 'ad_hoc_command' | 'inventory_update' | 'system_job',
): Action<JobRow> {
  const title = `${titled(kind)} Stdout`
  return {
    GET: (input) => answerStdout(input, kind, title),
    ownFormats: true,
    title,
    fields: { GET: { result_stdout: { type: 'field', label: 'Result stdout', filterable: false } } },
  }
}

async function answerStdout(input: ActionInput<JobRow>, kind: string, title: string): Promise<ActionResult> {
  const { object: job, query, context } = input
  const format = chooseStdoutFormat(query.get('format'), context.request.headers.get('accept'))
  if (typeof format === 'number') {
    const message = format === 404 ? 'There is no such format.' : 'The format does not fit the Accept header.'
    return html(refusalPage(title, message), format)
  }
  if (format === 'txt_download' || format === 'ansi_download') return await download(context, job.id, kind, format)

  const size = await stdoutSize(context.db, job.id)
  if (size.bytes > maxShownBytes) return tooLarge(format, size.bytes, title)
  if (format === 'txt' || format === 'ansi') {
    const text = await readText(context.db, job.id)
    return new Response(format === 'txt' ? stripAnsi(text) : text, { headers: plainText })
  }
  const range = readRange(query, size.lines)
  const text = await readText(context.db, job.id, range)
  if (format === 'json') {
    const content = query.get('content_encoding') === 'base64' ? Buffer.from(text).toString('base64') : text
    const { startLine: start, endLine: end } = range
    return { status: 200, body: { range: { start, end, absolute_end: size.lines }, content } }
  }
  // AWX shows it dark unless told otherwise.
  const dark = !/^[0nf]/i.test(query.get('dark') ?? '1')
  return html(stdoutPage(title, ansiToHtml(text), dark), 200)
}

const plainText = { 'Content-Type': 'text/plain; charset=utf-8' }
const html = (page: string, status: number) =>
  new Response(page, { status, headers: { 'Content-Type': 'text/html; charset=utf-8' } })

function tooLarge(format: StdoutFormat, bytes: number, title: string): ActionResult {
  const message = `Standard Output too large to display (${bytes} bytes), only download supported for sizes over ${maxShownBytes} bytes.`
  if (format === 'json') {
    return { status: 200, body: { range: { start: 0, end: 1, absolute_end: 1 }, content: message } }
  }
  if (format === 'html' || format === 'api') return html(refusalPage(title, message), 200)
  return new Response(message, { headers: plainText })
}

/** Lines to show; both ends count as in a Python slice, so a negative one counts from the end. */
function readRange(query: URLSearchParams, lines: number): Required<LineRange> {
  const bound = (name: string, otherwise: number) => {
    const text = query.get(name)
    if (text === null || text === '') return otherwise
    if (!/^-?\d+$/.test(text)) throw new BadRequestError(`${name} must be an integer.`)
    const line = Number(text)
    return line < 0 ? Math.max(0, lines + line) : line
  }
  return { startLine: bound('start_line', 0), endLine: Math.min(bound('end_line', lines), lines) }
}

async function readText(db: Database, jobId: number, range: LineRange = {}): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of readStdout(db, jobId, range)) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8').replaceAll('\r\n', '\n')
}

/** The whole output, piece by piece: memory stays flat whatever its size, and bytes that are no UTF-8 stay as they were. */
async function download(
  context: RequestContext,
  jobId: number,
  kind: string,
  format: 'txt_download' | 'ansi_download',
): Promise<Response> {
  const plain = format === 'txt_download'
  return new Response(await bodyStream(converted(readStdout(context.db, jobId), plain), context), {
    headers: {
      'Content-Type': 'text/plain',
      'Content-Disposition': `attachment; filename="${kind}_${jobId}${plain ? '' : '.ansi'}.txt"`,
    },
  })
}

async function* converted(pieces: AsyncIterable<Buffer>, plain: boolean): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) yield convert(piece, plain)
}

/** Latin-1 maps every byte to one character and back, so text rules apply to any bytes without changing others. */
function convert(bytes: Buffer, plain: boolean): Uint8Array {
  const text = bytes.toString('latin1').replaceAll('\r\n', '\n')
  return Buffer.from(plain ? stripAnsi(text) : text, 'latin1')
}
