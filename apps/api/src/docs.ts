import express, { Router } from 'express';
import { absolutePath } from 'swagger-ui-dist';
import { methods } from './methods';
import { openApiDocument } from './openapi';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Certwright API</title>
    <link rel="stylesheet" href="/docs/assets/swagger-ui.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/assets/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>`;

/** In a file of its own: the content security policy lets no inline script run. */
const START = "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui' });";

/** `/openapi.json`, and `/docs` with Swagger UI from our own disk. */
export function docsRoutes(): Router {
  const router = Router();
  methods(router, '/openapi.json', {
    async get(_request, response) {
      response.json(openApiDocument());
    },
  });
  methods(router, '/docs', {
    async get(_request, response) {
      response.type('html').send(PAGE);
    },
  });
  methods(router, '/docs/start.js', {
    async get(_request, response) {
      response.type('js').send(START);
    },
  });
  router.use('/docs/assets', express.static(absolutePath(), { index: false }));
  return router;
}
