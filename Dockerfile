# syntax=docker/dockerfile:1
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
ENV LEFTHOOK=0 CI=true
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24.21.0-bookworm-slim
LABEL org.opencontainers.image.title="Vakhta" \
  org.opencontainers.image.description="Telegram ChatOps that keeps watch over a small infrastructure" \
  org.opencontainers.image.licenses="MIT"
# pgbackrest serves clusters that the worker reaches itself; over SSH it runs on the database host.
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates iputils-ping pgbackrest \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY scripts/health.mjs ./scripts/
COPY config/roadmap.yam[l] config/vakhta.example.yam[l] ./config/
COPY docs/runbooks ./docs/runbooks
# The only folder that the program writes to; everything else may be mounted read-only.
RUN install -d -o node -g node -m 0750 /data
USER node
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["node", "scripts/health.mjs"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start"]
