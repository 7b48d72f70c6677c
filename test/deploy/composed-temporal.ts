/** What `temporal-compose.yml` runs, on this machine and without containers: the schema, the server with all roles, the namespace. */
import { delimiter, dirname, join } from 'node:path'
import type { Progress } from '../../dev/cache.ts'
import { run } from '../../dev/run.ts'
import { temporalProgram } from '../../dev/temporal.ts'
import { temporalServerFolder } from '../../dev/temporal-server.ts'
import { type Compose, type Step, step } from './compose-file.ts'
import { freePorts, TemporalServer } from './temporal-server.ts'

/** The steps of the file, ready to run against one PostgreSQL. */
export class ComposedTemporal {
  readonly server: TemporalServer
  readonly #folder: string
  readonly #steps: { schema: Step; namespace: Step }

  private constructor(server: TemporalServer, steps: { schema: Step; namespace: Step }, folder: string) {
    this.server = server
    this.#steps = steps
    this.#folder = folder
  }

  /** `postgresUrl` is a superuser's, on a server without databases of Temporal's; logs go to `folder`. Building the programs takes minutes the first time. */
  static async prepare(
    compose: Compose,
    postgresUrl: string,
    folder: string,
    progress: Progress,
  ): Promise<ComposedTemporal> {
    const bin = await temporalServerFolder(progress)
    const temporal = await temporalProgram(progress)
    const url = new URL(postgresUrl)
    const sql = { SQL_HOST: url.hostname, SQL_PORT: url.port, SQL_USER: url.username, SQL_PASSWORD: url.password }
    const roles = ['FRONTEND', 'HISTORY', 'MATCHING', 'WORKER']
    const ports = await freePorts(roles.flatMap((role) => [`${role}_GRPC_PORT`, `${role}_MEMBERSHIP_PORT`]))
    const address = `127.0.0.1:${ports.FRONTEND_GRPC_PORT}`
    const path = { PATH: [bin, dirname(temporal), process.env.PATH].join(delimiter), HOME: folder }
    const prepared = (name: string, overrides: Record<string, string>): Step => {
      const { env, ...rest } = step(compose, name, overrides)
      return { ...rest, env: { ...path, ...env } }
    }
    const start = prepared('temporal', { ...sql, BIND_ON_IP: '127.0.0.1' })
    const server = new TemporalServer(
      { ...start, program: join(bin, start.program), env: { ...start.env, ...ports } },
      address,
      join(folder, 'temporal-server.log'),
    )
    const steps = { schema: prepared('schema', sql), namespace: prepared('namespace', { TEMPORAL_ADDRESS: address }) }
    return new ComposedTemporal(server, steps, folder)
  }

  /** Runs one of the one-shot steps; its output goes to `NAME.log`. */
  runStep(step: 'schema' | 'namespace', name: string = step): Promise<string> {
    const { program, args, env } = this.#steps[step]
    return run(program, args, { env, seconds: 120, log: join(this.#folder, `${name}.log`) })
  }
}
