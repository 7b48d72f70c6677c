import { Hono } from 'hono'
import { allResources } from './all-resources.ts'
import { createAuthenticator } from './auth/authenticate.ts'
import { ensureCsrfCookie, serveLogin } from './auth/login.ts'
import type { ApiDeps } from './context.ts'
import { docsPage } from './docs-page.ts'
import { type Endpoint, serve } from './endpoint.ts'
import { errorResponse, toApiError } from './error-response.ts'
import { UnknownPathError } from './errors.ts'
import { metricsEndpoint } from './metrics/endpoint.ts'
import { answerHeaders } from './middleware.ts'
import { describeApi } from './openapi.ts'
import { reaperEndpoints } from './reaper/endpoints.ts'
import { apiRoot, createRegistry } from './registry.ts'
import type { Resource } from './resource.ts'
import { resourceEndpoints } from './resource-endpoints.ts'
import { rootEndpoints } from './root-endpoints.ts'

/** The HTTP API. Everything below `/api/v2/` follows from the descriptions in `resources`. */
export function createApp(deps: ApiDeps, resources: readonly Resource[] = allResources): Hono {
  const registry = createRegistry(resources.map((resource) => withSettings(resource, deps)))
  const authenticator = createAuthenticator(deps)
  const app = new Hono()
  app.use('/api/*', answerHeaders(deps))
  app.use('/api/', async (c, next) => {
    ensureCsrfCookie(c)
    await next()
  })
  serveLogin(app, deps, authenticator)
  const endpoints = [
    ...rootEndpoints(registry),
    metricsEndpoint(),
    ...reaperEndpoints(),
    ...registry.models.flatMap((model) => resourceEndpoints(model, registry)),
  ]
  const serving = { deps, registry, authenticator }
  serve(app, versionsEndpoint(), serving)
  for (const endpoint of endpoints) serve(app, endpoint, serving)

  const openapi = describeApi(endpoints.filter(({ handlers }) => Object.keys(handlers).length > 0))
  app.get(`${apiRoot}openapi.json`, (c) => c.json(openapi))
  app.get(`${apiRoot}docs/`, (c) => c.html(docsPage(openapi)))
  app.get(`${apiRoot}docs`, (c) => c.redirect(`${apiRoot}docs/`, 301))
  app.notFound(() => errorResponse(new UnknownPathError()))
  app.onError((error) => errorResponse(toApiError(error, deps.log)))
  return app
}

function withSettings(resource: Resource, deps: ApiDeps): Resource {
  return resource.fieldsFor ? { ...resource, fields: { ...resource.fields, ...resource.fieldsFor(deps) } } : resource
}

/** `GET /api/`: which versions there are. Clients come here first, for the CSRF cookie too. */
function versionsEndpoint(): Endpoint {
  return {
    path: '/api/',
    name: 'REST API',
    description: 'Versions of the API.',
    tag: 'installation',
    anonymous: true,
    handlers: {
      GET: async () => ({
        status: 200,
        body: {
          description: 'AWX REST API',
          current_version: apiRoot,
          available_versions: { v2: apiRoot },
          custom_logo: '',
          custom_login_info: '',
          login_redirect_override: '',
        },
      }),
    },
    options: () => ({ actions: {} }),
  }
}
