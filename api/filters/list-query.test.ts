import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { users } from '../../store/schema/identity.ts'
import { openTestApp, type TestApp } from '../testing.ts'

let app: TestApp

/** Three organizations, two environments, credentials of two types; enough to tell every way of filtering apart. */
beforeAll(async () => {
  app = await openTestApp()
  const post = async (path: string, body: unknown) => {
    const answer = await app.call('POST', `/api/v2/${path}/`, body)
    expect(answer.status).toBe(201)
    return answer.body
  }
  const environment = await post('execution_environments', { name: 'green', image: 'a/b:1' })
  await post('organizations', {
    name: 'alpha',
    description: '50% off_now',
    max_hosts: 5,
    default_environment: environment.id,
  })
  await post('organizations', { name: 'beta', description: 'second one', max_hosts: 10 })
  await post('organizations', { name: 'Gamma ray', description: 'has second too' })
  const [alpha, beta] = [2, 3]
  await post('credentials', { name: 'red', credential_type: 1, organization: alpha, description: 'one' })
  await post('credentials', { name: 'blue', credential_type: 2, organization: alpha, description: 'two' })
  await post('credentials', { name: 'red', credential_type: 1, organization: beta, description: 'two' })
  await app.store.db.insert(users).values({ username: 'ada', firstName: 'Ada', email: 'ada@example.org' })
})
afterAll(() => app.close())

const list = (query: string, resource = 'organizations') => app.call('GET', `/api/v2/${resource}/?${query}`)

/** Query string → names of the organizations found, in order of id. */
const finds: [query: string, names: string[]][] = [
  ['name=alpha', ['alpha']],
  ['name__exact=alpha', ['alpha']],
  ['name__iexact=ALPHA', ['alpha']],
  ['name__contains=amma', ['Gamma ray']],
  ['name__contains=AMMA', []],
  ['name__icontains=AMMA', ['Gamma ray']],
  ['name__startswith=Gam', ['Gamma ray']],
  ['name__istartswith=gam', ['Gamma ray']],
  ['name__endswith=ray', ['Gamma ray']],
  ['name__iendswith=RAY', ['Gamma ray']],
  ['name__regex=^(al|be)', ['alpha', 'beta']],
  ['name__iregex=^GAMMA', ['Gamma ray']],
  ['name__in=alpha,beta,nosuch', ['alpha', 'beta']],
  ['description__contains=50%25', ['alpha']],
  ['description__contains=f_n', ['alpha']],
  ['description__contains=fXn', []],
  ['max_hosts__gt=5', ['beta']],
  ['max_hosts__gte=5', ['alpha', 'beta']],
  ['max_hosts__lt=5', ['Default', 'Gamma ray']],
  ['max_hosts__lte=5&max_hosts__gt=0', ['alpha']],
  ['max_hosts__contains=1', ['beta']],
  ['id__gt=99999999999999999999999', []],
  ['id__lt=99999999999999999999999', ['Default', 'alpha', 'beta', 'Gamma ray']],
  ['pk=2', ['alpha']],
  ['created__gt=2020-01-01', ['Default', 'alpha', 'beta', 'Gamma ray']],
  ['created__lt=2020-01-01T10:00:00.5Z', []],
  ['default_environment__isnull=false', ['alpha']],
  ['default_environment__isnull=TRUE&id__gt=1', ['beta', 'Gamma ray']],
  ['default_environment=none&id__gt=1', ['beta', 'Gamma ray']],
  ['default_environment=null&id__gt=1', ['beta', 'Gamma ray']],
  ['default_environment__name=green', ['alpha']],
  ['default_environment__name__isnull=true&id__gt=1', ['beta', 'Gamma ray']],
  ['created_by__username=admin', ['alpha', 'beta', 'Gamma ray']],
  ['created_by=1&max_hosts=10', ['beta']],
  // An object with several related ones that match is listed once.
  ['credentials__name__in=red,blue', ['alpha', 'beta']],
  // Terms over one relation must hold for one related object …
  ['credentials__name=red&credentials__description=two', ['beta']],
  // … unless they are chained.
  ['chain__credentials__name=red&chain__credentials__description=two', ['alpha', 'beta']],
  ['credentials__credential_type__kind=scm', ['alpha']],
  ['credentials__isnull=true', ['Default', 'Gamma ray']],
  ['credentials=4', ['beta']],
  ['not__name=alpha&id__gt=1', ['beta', 'Gamma ray']],
  ['not__credentials__name=blue', ['Default', 'beta', 'Gamma ray']],
  ['not__default_environment__name=green&id__gt=1', ['beta', 'Gamma ray']],
  ['or__name=alpha&or__name=beta', ['alpha', 'beta']],
  ['or__name=alpha&or__max_hosts=10', ['alpha', 'beta']],
  ['or__not__max_hosts=0&or__name=Default', ['Default', 'alpha', 'beta']],
  ['or__name=alpha&or__name=beta&max_hosts=10', ['beta']],
  ['or__id=3&or__name=3', ['beta']],
  ['search=second', ['beta', 'Gamma ray']],
  ['search=second,ray', ['Gamma ray']],
  ['search=second%20ray', ['Gamma ray']],
  ['credentials__search=blue', ['alpha']],
  ['credentials__search=red,two', ['alpha', 'beta']],
  ['default_environment__search=GREE', ['alpha']],
  ['credentials__search=blue&credentials__search=nosuch', ['alpha']],
  ['type=organization&name=alpha', ['alpha']],
  ['type=job', []],
  ['type__in=organization', []],
]

test.each(finds)('%s', async (query, names) => {
  const { status, body } = await list(`${query}&order_by=id`)
  expect(status).toBe(200)
  expect(body.results.map((one: { name: string }) => one.name)).toEqual(names)
  expect(body.count).toBe(names.length)
})

const refusals: [query: string, status: number, detail: string][] = [
  ['nosuch=1', 400, "Organization has no field named 'nosuch'"],
  ['name__nosuch=1', 400, 'No related model for field nosuch.'],
  ['default_environment__nosuch__name=x', 400, "ExecutionEnvironment has no field named 'nosuch'"],
  ['__name=x', 400, "Organization has no field named ''"],
  ['id=abc', 400, '["“abc” value must be an integer."]'],
  ['id__in=1,abc', 400, '["“abc” value must be an integer."]'],
  ['id__in=', 400, 'cannot provide empty value for __in'],
  [
    'created__gt=notadate',
    400,
    '["“notadate” value has an invalid format. It must be in YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ] format."]',
  ],
  ['name__isnull=maybe', 400, 'Unable to convert "maybe" to boolean'],
  ['name__regex=(', 400, 'Invalid regular expression.'],
  ['name__search=x', 400, 'name is not searchable'],
  ['order_by=nosuch', 400, "Organization has no field named 'nosuch'"],
  ['credentials__inputs=x', 403, 'Filtering on field inputs is not allowed.'],
  ['created_by__password=x', 403, 'Filtering on password is not allowed.'],
  ['order_by=created_by__password', 403, 'Filtering on password is not allowed.'],
  ['name=a%00b', 400, '["Null characters are not allowed."]'],
  ['created__gt=0000-01-01', 400, 'A value is not acceptable.'],
  ['page=0', 404, 'Invalid page.'],
  ['page=999', 404, 'Invalid page.'],
  ['page=abc', 404, 'Invalid page.'],
  ['page_size=abc', 400, 'page_size must be an integer.'],
  [`${'credentials__organization__'.repeat(40)}name=x`, 400, 'A filter spans at most 10 relations.'],
]

test.each(refusals)('%s is refused with %i', async (query, status, detail) => {
  expect(await list(query)).toMatchObject({ status, body: { detail } })
})

test('a type with NUL, which only the database can refuse', async () => {
  expect((await list('type=a%00b', 'unified_jobs')).status).toBe(400)
  expect((await list('type=a%00b')).body.count).toBe(0)
})

test('a value is never part of the statement', async () => {
  const hostile = encodeURIComponent(`' or 1=1; drop table organizations; --`)
  expect((await list(`name=${hostile}&description__icontains=${hostile}`)).body.count).toBe(0)
  expect((await list('order_by=id')).body.count).toBe(4)
})

describe('order', () => {
  const names = async (query: string, resource?: string) =>
    (await list(query, resource)).body.results.map((one: { name: string }) => one.name)

  test('by several fields, either way, and over relations', async () => {
    expect(await names('order_by=-max_hosts,name')).toEqual(['beta', 'alpha', 'Default', 'Gamma ray'])
    expect(await names('order=-id')).toEqual(['Gamma ray', 'beta', 'alpha', 'Default'])
    expect(await names('managed=false&order_by=-credential_type__name,organization__name', 'credentials')).toEqual([
      'blue',
      'red',
      'red',
    ])
    expect(await names('order_by=default_environment__name,id')).toEqual(['alpha', 'Default', 'beta', 'Gamma ray'])
  })

  test('without one: the resource’s own', async () => {
    expect(await names('', 'credentials')).toEqual(['Ansible Galaxy', 'blue', 'red', 'red'])
    const { body } = await list('', 'users')
    expect(body.results.map((one: { username: string }) => one.username)).toEqual(['ada', 'admin'])
  })
})

describe('pages', () => {
  test('links are relative, keep the query and are sorted', async () => {
    const first = (await list('page_size=2&or__name=alpha&or__name=beta&or__name=Default&order_by=name,-id')).body
    expect(first.next).toBe(
      '/api/v2/organizations/?or__name=alpha&or__name=beta&or__name=Default&order_by=name%2C-id&page=2&page_size=2',
    )
    expect(first.previous).toBeNull()
    const second = (await app.call('GET', first.next)).body
    expect(second).toMatchObject({ count: 3, next: null })
    expect(second.previous).toBe(
      '/api/v2/organizations/?or__name=alpha&or__name=beta&or__name=Default&order_by=name%2C-id&page_size=2',
    )
    expect(second.results).toHaveLength(1)
  })

  test('sizes: zero and less mean the default, more than 200 means 200', async () => {
    expect((await list('page_size=0')).body.results).toHaveLength(4)
    expect((await list('page_size=-1')).body.results).toHaveLength(4)
    expect((await list('page_size=500')).body.next).toBeNull()
    expect((await list('page=last&page_size=3')).body.results).toHaveLength(1)
  })

  test('count_disabled gives results alone', async () => {
    const { body } = await list('count_disabled=1&page_size=1')
    expect(Object.keys(body)).toEqual(['results'])
    expect(body.results).toHaveLength(1)
  })

  test('an empty list has a first page', async () => {
    expect((await list('name=nosuch')).body).toEqual({ count: 0, next: null, previous: null, results: [] })
  })
})
