-- A name below ACME_ZONE for every domain, for its challenge names to be aliases of.
CREATE TABLE "delegations" (
    "label" TEXT NOT NULL,
    "domain_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "delegations_pkey" PRIMARY KEY ("label")
);
CREATE UNIQUE INDEX "delegations_domain_id_key" ON "delegations"("domain_id");
ALTER TABLE "delegations" ADD CONSTRAINT "delegations_domain_id_fkey" FOREIGN KEY ("domain_id") REFERENCES "domains"("id") ON DELETE SET NULL ON UPDATE CASCADE;
INSERT INTO "delegations" ("label", "domain_id") SELECT replace(gen_random_uuid()::text, '-', ''), "id" FROM "domains";

ALTER TABLE "domains" ADD COLUMN "auto" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN "watch_at" TIMESTAMPTZ(3),
ADD COLUMN "forecast" JSONB;
UPDATE "domains" SET "watch_at" = now() + random() * interval '1 day' WHERE "status" = 'active';
CREATE INDEX "domains_to_watch" ON "domains"("watch_at") WHERE (watch_at IS NOT NULL);

ALTER TYPE "event_kind" ADD VALUE 'changed';
ALTER TYPE "event_kind" ADD VALUE 'forecast';
