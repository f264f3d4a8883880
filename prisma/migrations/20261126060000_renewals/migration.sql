-- When each domain's newest certificate is to be renewed, and what has come in the way of it.
CREATE TABLE "renewals" (
    "domain_id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "certificate_id" UUID NOT NULL,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,
    "not_before" TIMESTAMPTZ(3) NOT NULL,
    "not_after" TIMESTAMPTZ(3) NOT NULL,
    "directory_url" TEXT NOT NULL,
    "cert_id" TEXT,
    "window_start" TIMESTAMPTZ(3) NOT NULL,
    "window_end" TIMESTAMPTZ(3) NOT NULL,
    "renew_at" TIMESTAMPTZ(3),
    "ask_at" TIMESTAMPTZ(3),
    "explanation_url" TEXT,
    "manual" BOOLEAN NOT NULL,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "last_error" JSONB,
    "reminders" INTEGER NOT NULL DEFAULT 0,
    "told" TEXT,
    "look_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "renewals_pkey" PRIMARY KEY ("domain_id"),
    CONSTRAINT "renewals_domain_id_fkey" FOREIGN KEY ("domain_id") REFERENCES "domains"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "renewals_certificate_id_fkey" FOREIGN KEY ("certificate_id") REFERENCES "certificates"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "renewals_to_look_at" ON "renewals"("look_at");
CREATE INDEX "renewals_by_expiry" ON "renewals"("not_after");
CREATE INDEX "renewals_in_trouble" ON "renewals"("domain_id") WHERE (failures > 0);
CREATE UNIQUE INDEX "renewals_certificate_id_key" ON "renewals"("certificate_id");

-- Certificates from before: by their lifetime, looked at within a day; the CA is asked then.
INSERT INTO "renewals" ("domain_id", "tenant_id", "certificate_id", "issued_at", "not_before", "not_after", "directory_url", "window_start", "window_end", "renew_at", "ask_at", "manual", "look_at")
SELECT DISTINCT ON (c."domain_id") c."domain_id", c."tenant_id", c."id", c."created_at", c."not_before", c."not_after", coalesce(a."directory_url", ''),
       c."not_after" - (c."not_after" - c."not_before") * (1.0 / 3 + 1.0 / 20), c."not_after" - (c."not_after" - c."not_before") / 3,
       c."not_after" - (c."not_after" - c."not_before") * (1.0 / 3 + random() / 20), now(), NOT coalesce((d."forecast"->>'isReady')::boolean, false), now() + random() * interval '1 day'
  FROM "certificates" c JOIN "domains" d ON d."id" = c."domain_id" JOIN "orders" o ON o."id" = c."order_id" LEFT JOIN "accounts" a ON a."id" = o."account_id"
 ORDER BY c."domain_id", c."created_at" DESC;
UPDATE "domains" SET "watch_at" = now() + random() * interval '1 day' WHERE "watch_at" IS NULL AND "id" IN (SELECT "domain_id" FROM "renewals");

-- Of an order that is to replace a certificate: until when, and which one (RFC 9773).
ALTER TABLE "orders" ADD COLUMN "needed_by" TIMESTAMPTZ(3), ADD COLUMN "replaces" TEXT;

ALTER TYPE "event_kind" ADD VALUE 'renewal';
