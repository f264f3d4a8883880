-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "domain_status" AS ENUM ('pending', 'verified', 'certificate_pending', 'active', 'failed');

-- CreateEnum
CREATE TYPE "order_status" AS ENUM ('new', 'awaiting_dns', 'validating', 'ready', 'processing', 'valid', 'invalid');

-- CreateEnum
CREATE TYPE "authorization_status" AS ENUM ('pending', 'valid', 'invalid');

-- CreateTable
CREATE TABLE "tenants" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "domains" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "names" TEXT[],
    "status" "domain_status" NOT NULL DEFAULT 'pending',
    "status_reason" TEXT,
    "verification_token" TEXT NOT NULL,
    "verified_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "domains_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "orders" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "domain_id" UUID NOT NULL,
    "account_id" UUID,
    "names" TEXT[],
    "key_type" TEXT NOT NULL,
    "profile" TEXT,
    "status" "order_status" NOT NULL DEFAULT 'new',
    "reason" JSONB,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3),
    "deadline_at" TIMESTAMPTZ(3),
    "lease_token" INTEGER NOT NULL DEFAULT 0,
    "lease_until" TIMESTAMPTZ(3),
    "acme_url" TEXT,
    "finalize_url" TEXT,
    "sealed_key" BYTEA,
    "csr" BYTEA,
    "request_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "orders_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "authorizations" (
    "id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "identifier" TEXT NOT NULL,
    "wildcard" BOOLEAN NOT NULL DEFAULT false,
    "url" TEXT NOT NULL,
    "challenge_url" TEXT NOT NULL,
    "txt_name" TEXT NOT NULL,
    "txt_value" TEXT NOT NULL,
    "status" "authorization_status" NOT NULL DEFAULT 'pending',
    "evidence" JSONB,
    "checked_at" TIMESTAMPTZ(3),

    CONSTRAINT "authorizations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "certificates" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "domain_id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "names" TEXT[],
    "chain_pem" TEXT NOT NULL,
    "sealed_key" BYTEA NOT NULL,
    "serial" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "key_type" TEXT NOT NULL,
    "not_before" TIMESTAMPTZ(3) NOT NULL,
    "not_after" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "certificates_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "accounts" (
    "id" UUID NOT NULL,
    "directory_url" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "sealed_key" BYTEA NOT NULL,
    "account_url" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "accounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sealing_key" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "key_id" TEXT NOT NULL,
    "canary" BYTEA NOT NULL,

    CONSTRAINT "sealing_key_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "tenants_name_key" ON "tenants"("name");

-- CreateIndex
CREATE INDEX "domains_tenant_id_id_idx" ON "domains"("tenant_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "domains_tenant_id_name_key" ON "domains"("tenant_id", "name");

-- CreateIndex
CREATE INDEX "orders_due" ON "orders"("due_at") WHERE (status <> ALL (ARRAY['valid'::order_status, 'invalid'::order_status]));

-- CreateIndex
CREATE INDEX "orders_domain_id_id_idx" ON "orders"("domain_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "orders_one_live_per_domain" ON "orders"("domain_id") WHERE (status <> ALL (ARRAY['valid'::order_status, 'invalid'::order_status]));

-- CreateIndex
CREATE UNIQUE INDEX "authorizations_order_id_identifier_wildcard_key" ON "authorizations"("order_id", "identifier", "wildcard");

-- CreateIndex
CREATE UNIQUE INDEX "certificates_order_id_key" ON "certificates"("order_id");

-- CreateIndex
CREATE INDEX "certificates_domain_id_created_at_idx" ON "certificates"("domain_id", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "accounts_directory_url_email_key" ON "accounts"("directory_url", "email");

-- AddForeignKey
ALTER TABLE "domains" ADD CONSTRAINT "domains_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_domain_id_fkey" FOREIGN KEY ("domain_id") REFERENCES "domains"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "accounts"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "authorizations" ADD CONSTRAINT "authorizations_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificates" ADD CONSTRAINT "certificates_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificates" ADD CONSTRAINT "certificates_domain_id_fkey" FOREIGN KEY ("domain_id") REFERENCES "domains"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificates" ADD CONSTRAINT "certificates_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The tenant that every row belongs to until clients have tenants of their own (DEFAULT_TENANT_ID in packages/core/src/domain.ts).
INSERT INTO "tenants" ("id", "name") VALUES ('00000000-0000-7000-8000-000000000001', 'default');
