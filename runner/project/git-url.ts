/** What cannot be fetched, by its form alone; the message is for people and holds no credentials. */
export class GitSourceError extends Error {
  override name = 'GitSourceError'
}

/** Where a repository is, without the credentials that its URL may have held. */
export interface GitSource {
  /** Safe to store, to show and to pass on a command line. */
  url: string
  transport: 'http' | 'ssh' | 'git' | 'file'
  /** Host with port as git shows it in its questions; '' for a file. */
  host: string
  /** User and password from the URL itself; '' when it has none. */
  username: string
  password: string
}

const transports: Record<string, GitSource['transport']> = {
  'http:': 'http',
  'https:': 'http',
  'ssh:': 'ssh',
  'git+ssh:': 'ssh',
  'git:': 'git',
  'file:': 'file',
}

/** Hosts that know one SSH user only, whatever the credential says. */
const gitUserHosts = new Set(['github.com', 'ssh.github.com', 'bitbucket.org', 'altssh.bitbucket.org'])

/**
 * Reads a project's URL: a URL, `user@host:path`, or an absolute path. Refuses what git would take for an option or for a helper program
 * (`--upload-pack=…`, `ext::…`), other schemes and relative paths: GitSourceError. `username` of the credential names the SSH user.
 */
export function parseGitSource(text: string, username = ''): GitSource {
  const given = text.trim()
  if (given === '') throw new GitSourceError('The project has no SCM URL.')
  if (hasControlCharacters(given) || given.startsWith('-') || /^[A-Za-z0-9+.-]+::/.test(given)) {
    throw new GitSourceError('The SCM URL is not one that git may be given.')
  }
  if (given.startsWith('/')) return { url: given, transport: 'file', host: '', username: '', password: '' }
  if (given.includes('://')) return fromUrl(given, username)
  const short = /^(?:([^@/:]+)@)?([^@/:[\]]+|\[[^\]]+\]):(?!\/\/)(.+)$/.exec(given)
  if (!short) throw new GitSourceError('The SCM URL is neither a URL, nor user@host:path, nor an absolute path.')
  const [, ownUser = '', host = '', path = ''] = short
  const user = sshUser(host, username || ownUser)
  if (host.startsWith('-') || user.startsWith('-')) throw new GitSourceError('The SCM URL has no valid host.')
  return { url: `${user ? `${user}@` : ''}${host}:${path}`, transport: 'ssh', host, username: user, password: '' }
}

function fromUrl(given: string, username: string): GitSource {
  const scheme = `${given.slice(0, given.indexOf('://')).toLowerCase()}:`
  const transport = transports[scheme]
  if (!transport) throw new GitSourceError(`Unsupported SCM URL scheme "${scheme.slice(0, -1)}".`)
  let url: URL
  try {
    url = new URL(given)
  } catch {
    throw new GitSourceError('The SCM URL cannot be read as a URL.')
  }
  const own = { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
  if (transport !== 'file' && (url.hostname === '' || url.hostname.startsWith('-'))) {
    throw new GitSourceError('The SCM URL has no valid host.')
  }
  if (transport === 'file' && url.hostname !== '') throw new GitSourceError('A file URL names no host.')
  url.username = ''
  url.password = ''
  if (transport === 'ssh') {
    own.username = sshUser(url.hostname, username || own.username)
    if (own.username.startsWith('-')) throw new GitSourceError('The SCM URL has no valid user.')
    // The URL class gives no user to schemes it does not know as special, so the text is put together here.
    const user = own.username ? `${encodeURIComponent(own.username)}@` : ''
    return { url: `${scheme}//${user}${url.host}${url.pathname}`, transport, host: url.host, ...own }
  }
  return { url: url.href, transport, host: url.host, ...own }
}

function sshUser(host: string, user: string): string {
  return gitUserHosts.has(host) ? 'git' : user
}

/** A branch, tag, commit or refspec as git may be given it; throws GitSourceError naming which. */
export function checkedRef(label: string, text: string): string {
  const ref = text.trim()
  if (ref.startsWith('-') || hasControlCharacters(ref) || /[\s~^?[\\]|\.\.|@\{/.test(ref)) {
    throw new GitSourceError(`The ${label} "${ref.slice(0, 100)}" is not a name that git knows.`)
  }
  return ref
}

function hasControlCharacters(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f')
}
