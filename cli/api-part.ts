/** The API of a process. */
import { type ApiServer, startApi } from '../api/server.ts'
import type { Composition } from './compose.ts'
import { CommandError } from './errors.ts'
import { podShells } from './pod-shells.ts'

/** Starts serving. Throws CommandError when the port is taken. */
export async function startApiPart(composition: Composition): Promise<ApiServer> {
  const { settings, store, keyring, installUuid, log } = composition
  const { host, port, nodeName, projectsRoot, defaultNamespace, publicUrl, adHocModules } = settings
  try {
    const deps = {
      ...{ store, keyring, installUuid, nodeName, projectsRoot, defaultNamespace, publicUrl, adHocModules, log },
      shells: podShells(composition),
    }
    const server = await startApi({ host, port, deps })
    log.info({ url: server.url }, 'API is ready')
    return server
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    throw new CommandError(`port ${port} of ${host} is in use`, 'stop who listens there, or set MAYFLY_PORT')
  }
}
