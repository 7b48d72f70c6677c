import { fromBufferPromise, type Options, openPromise, type ZipFile } from 'yauzl'

/** The zip of the runner's artifacts folder: its bytes, or the path of the file that they are in where there are many. */
export type ArtifactsZip = Buffer | string

/** Opens it for reading; to be closed. Rejects where it is no zip. */
export function openZip(zip: ArtifactsZip, options: Options): Promise<ZipFile> {
  return typeof zip === 'string' ? openPromise(zip, { ...options, autoClose: false }) : fromBufferPromise(zip, options)
}
