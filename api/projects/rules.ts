import { and, eq, ne, or } from 'drizzle-orm'
import { credentials, credentialTypes } from '../../store/schema/catalog.ts'
import { jobTemplates, projects } from '../../store/schema/templates.ts'
import type { RequestContext } from '../context.ts'
import { ValidationError } from '../errors.ts'
import type { WriteCheck } from '../resource.ts'
import { projectFolder } from './folder.ts'

type Project = typeof projects.$inferSelect

/** Schemes of `scm_url` by kind of source; git also takes `user@host:path` and, as git does, absolute paths. */
const schemes: Record<string, readonly string[]> = {
  git: ['ssh', 'git', 'git+ssh', 'http', 'https', 'ftp', 'ftps', 'file'],
  svn: ['http', 'https', 'svn', 'svn+ssh', 'file'],
  archive: ['http', 'https'],
}
const updateOptions = ['scm_update_on_launch', 'scm_delete_on_update', 'scm_track_submodules', 'scm_clean']

/** Rules of a project over several fields, in AWX's words. */
export async function checkProject({ input, merged, before, context }: WriteCheck<Project>): Promise<void> {
  const type = String(merged.scm_type ?? '')
  if (type === '') {
    await checkManual(input, before, context)
    for (const option of updateOptions) {
      if (merged[option]) throw ValidationError.on(option, 'Update options must be set to false for manual projects.')
    }
  } else {
    const url = String(merged.scm_url ?? '').trim()
    const message = urlError(type, url) ?? secretInUrl(url)
    if (message) throw ValidationError.on('scm_url', message)
  }
  if (merged.scm_branch && type === 'archive') {
    throw ValidationError.on('scm_branch', 'SCM branch cannot be used with archive projects.')
  }
  for (const [field, name] of [
    ['scm_refspec', 'refspec'],
    ['scm_track_submodules', 'track_submodules'],
  ] as const) {
    if (merged[field] && type !== 'git')
      throw ValidationError.on(field, `SCM ${name} can only be used with git projects.`)
  }
  if (typeof input.credential === 'number') await checkCredential(input.credential, type, context)
  if (before?.allowOverride && input.allow_override === false) await keepOverride(before.id, context)
}

/** The folder of a manual project is one below the projects root that no other manual project has. */
async function checkManual(
  input: Record<string, unknown>,
  before: Project | undefined,
  context: RequestContext,
): Promise<void> {
  const path = input.local_path
  if (typeof path !== 'string' || path === '' || path === before?.localPath) return
  const [taken] = await context.db
    .select({ id: projects.id })
    .from(projects)
    .where(and(eq(projects.localPath, path), eq(projects.scmType, ''), before ? ne(projects.id, before.id) : undefined))
    .limit(1)
  if (taken || (await projectFolder(context.deps.projectsRoot, path)) === null) {
    throw ValidationError.on('local_path', 'This path is already being used by another manual project.')
  }
}

function urlError(type: string, url: string): string | null {
  if (type === 'insights') return null
  if (url === '') return 'SCM URL is required.'
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase()
  if (scheme) return schemes[type]?.includes(scheme) ? null : `Unsupported ${type} URL`
  const short = type === 'git' && (/^[^\s:/-][^\s:/]*:[^\s:]/.test(url) || url.startsWith('/'))
  return short ? null : `Invalid ${type} URL`
}

/** Users that are tokens, as the large forges make them; any other user of a URL is only a name. */
const tokenUser = /^(gh[a-z]_|github_pat_|glpat-|gl[a-z]+-|ATBB|ATCTT|[0-9a-f]{40}$)/
/** Parameters by which servers take a secret. */
const secretParameter = /^(private|access|job|oauth|auth|api|refresh)?[_-]?(token|key|secret|password)$/i

/** URLs are shown to everybody who may read the project, so no secret may be in one; null when there is none that one can see. */
function secretInUrl(given: string): string | null {
  const url = URL.parse(given)
  if (!url) return null
  const parameter = [...url.searchParams.keys()].find((name) => secretParameter.test(name))
  if (parameter) return `SCM URL must not hold a secret ("${parameter}"): use a Source Control credential.`
  if (url.password === '' && !tokenUser.test(url.username)) return null
  return 'SCM URL must not hold a password or token: use a Source Control credential.'
}

async function checkCredential(id: number, type: string, context: RequestContext): Promise<void> {
  const wanted = type === 'insights' ? 'insights' : 'scm'
  const [row] = await context.db
    .select({ kind: credentialTypes.kind })
    .from(credentials)
    .innerJoin(credentialTypes, eq(credentialTypes.id, credentials.credentialTypeId))
    .where(eq(credentials.id, id))
  if (row?.kind !== wanted) throw ValidationError.on('credential', `Credential kind must be '${wanted}'.`)
}

/** Templates that name or ask for a branch need the project to allow it. */
async function keepOverride(projectId: number, context: RequestContext): Promise<void> {
  const users = await context.db
    .select({ id: jobTemplates.id })
    .from(jobTemplates)
    .where(
      and(
        eq(jobTemplates.projectId, projectId),
        or(eq(jobTemplates.askScmBranchOnLaunch, true), ne(jobTemplates.scmBranch, '')),
      ),
    )
    .orderBy(jobTemplates.id)
  if (users.length === 0) return
  const ids = users.map(({ id }) => id).join(', ')
  throw ValidationError.on(
    'allow_override',
    `One or more job templates depend on branch override behavior for this project (ids: ${ids}).`,
  )
}
