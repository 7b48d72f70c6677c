/** Makes git repositories out of examples/, as users would have them. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { run } from '../../dev/run.ts'

/** Addresses of the repositories. */
export interface Repositories {
  site: string
  role: string
}

const examples = join(import.meta.dirname, '..', '..', 'examples')
/** Placeholder of the role's address in the project's requirements. */
const placeholder = 'https://git.example.com/roles/motd.git'
const author = ['-c', 'user.name=Mayfly demo', '-c', 'user.email=demo@example.com', '-c', 'commit.gpgsign=false']

/** Brings both repositories below `folder` to the content of examples/; what has not changed gives no new commit. */
export async function makeRepositories(folder: string): Promise<Repositories> {
  const role = join(folder, 'role-motd')
  await commit(role, join(examples, 'role-motd'))
  await git(role, 'tag', '--force', 'v1.0.0')
  const site = join(folder, 'site')
  await commit(site, join(examples, 'site'), () => {
    const requirements = join(site, 'roles', 'requirements.yml')
    writeFileSync(requirements, readFileSync(requirements, 'utf8').replace(placeholder, pathToFileURL(role).href))
  })
  return { site: pathToFileURL(site).href, role: pathToFileURL(role).href }
}

async function commit(repository: string, content: string, edit = () => {}): Promise<void> {
  mkdirSync(repository, { recursive: true })
  if (!existsSync(join(repository, '.git'))) await git(repository, 'init', '--quiet', '--initial-branch=main')
  for (const entry of readdirSync(repository))
    if (entry !== '.git') rmSync(join(repository, entry), { recursive: true })
  cpSync(content, repository, { recursive: true })
  edit()
  await git(repository, 'add', '--all')
  const changes = await git(repository, 'status', '--porcelain')
  if (changes.trim() !== '') await git(repository, 'commit', '--quiet', '--message', 'The example as it is now')
}

function git(repository: string, ...args: string[]): Promise<string> {
  return run('git', [...author, ...args], { cwd: repository })
}
