# One image for every process: the command says which. docker-compose.yml shows them all.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY apps/api/package.json apps/api/
COPY apps/dev/package.json apps/dev/
COPY apps/migrate/package.json apps/migrate/
COPY apps/nameserver/package.json apps/nameserver/
COPY apps/worker/package.json apps/worker/
COPY packages/acme/package.json packages/acme/
COPY packages/core/package.json packages/core/
COPY packages/db/package.json packages/db/
COPY packages/dns/package.json packages/dns/
COPY packages/jobs/package.json packages/jobs/
COPY packages/runtime/package.json packages/runtime/
COPY packages/testing/package.json packages/testing/
RUN npm ci
COPY . .
ENV CHECKPOINT_DISABLE=1 TURBO_TELEMETRY_DISABLED=1
# Optional: the embedded PostgreSQL. Peer: Prisma's command line. Nothing that runs here needs them.
RUN npm run build && npm prune --omit=dev --omit=optional --omit=peer

FROM node:24-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini ca-certificates \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build --chown=root:root /app/package.json ./
COPY --from=build --chown=root:root /app/node_modules node_modules
COPY --from=build --chown=root:root /app/apps apps
COPY --from=build --chown=root:root /app/packages packages
COPY --from=build --chown=root:root /app/prisma prisma
USER node
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["node", "apps/api/dist/main.js"]
