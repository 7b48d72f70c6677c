import { artifactsSize, readArtifacts } from '../../store/artifacts.ts'
import { bodyStream } from '../body-stream.ts'
import { NotFoundError } from '../errors.ts'
import type { Action } from '../resource.ts'
import type { JobRow } from './fields.ts'

/** `…/artifacts.zip`: the files that the play left in the runner's artifacts folder (`AWX_ISOLATED_DATA_DIR`). */
export const artifactsAction: Action<JobRow> = {
  async GET({ object, context }) {
    const bytes = await artifactsSize(context.db, object.id)
    if (bytes === 0) throw new NotFoundError('This job has left no files.')
    return new Response(await bodyStream(readArtifacts(context.db, object.id), context), {
      headers: {
        'Content-Type': 'application/zip',
        'Content-Length': String(bytes),
        'Content-Disposition': `attachment; filename="job_${object.id}_artifacts.zip"`,
      },
    })
  },
  ownFormats: true,
  link: false,
  title: 'Job Artifacts',
}
