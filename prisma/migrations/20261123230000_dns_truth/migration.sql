-- What became of an order becomes a part of what became of its domain; the rows stay.
CREATE TYPE "event_kind" AS ENUM ('registered', 'verified', 'order', 'dns');

ALTER TABLE "order_events" RENAME TO "domain_events";
ALTER SEQUENCE "order_events_id_seq" RENAME TO "domain_events_id_seq";
ALTER TABLE "domain_events" RENAME CONSTRAINT "order_events_pkey" TO "domain_events_pkey";
ALTER TABLE "domain_events" RENAME CONSTRAINT "order_events_order_id_fkey" TO "domain_events_order_id_fkey";
ALTER INDEX "order_events_order_id_id_idx" RENAME TO "domain_events_order_id_id_idx";
ALTER TABLE "domain_events" RENAME COLUMN "reason" TO "data";

ALTER TABLE "domain_events" ADD COLUMN "domain_id" UUID,
ADD COLUMN "kind" "event_kind" NOT NULL DEFAULT 'order',
ALTER COLUMN "order_id" DROP NOT NULL,
ALTER COLUMN "status" DROP NOT NULL,
ALTER COLUMN "generation" DROP NOT NULL;
UPDATE "domain_events" e SET "domain_id" = o."domain_id" FROM "orders" o WHERE o."id" = e."order_id";
ALTER TABLE "domain_events" ALTER COLUMN "domain_id" SET NOT NULL,
ALTER COLUMN "kind" DROP DEFAULT;

ALTER TABLE "domain_events" ADD CONSTRAINT "domain_events_domain_id_fkey" FOREIGN KEY ("domain_id") REFERENCES "domains"("id") ON DELETE CASCADE ON UPDATE CASCADE;
CREATE INDEX "domain_events_domain_id_id_idx" ON "domain_events"("domain_id", "id");

ALTER TABLE "authorizations" ADD COLUMN "diagnosis" JSONB;
ALTER TABLE "orders" ADD COLUMN "watched_until" TIMESTAMPTZ(3),
ADD COLUMN "ignore_caa" BOOLEAN NOT NULL DEFAULT false;
