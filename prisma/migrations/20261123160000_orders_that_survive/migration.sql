-- DropIndex
DROP INDEX "orders_due";

-- AlterTable
ALTER TABLE "accounts" ADD COLUMN     "orders_paused_until" TIMESTAMPTZ(3),
ADD COLUMN     "pause_reason" JSONB,
ADD COLUMN     "paused_until" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "orders" ADD COLUMN     "ca_expires_at" TIMESTAMPTZ(3),
ADD COLUMN     "crashes" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "generation" INTEGER NOT NULL DEFAULT 1,
ADD COLUMN     "renewal" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "status_since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- CreateTable
CREATE TABLE "order_events" (
    "id" BIGSERIAL NOT NULL,
    "order_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "status" "order_status" NOT NULL,
    "generation" INTEGER NOT NULL,
    "reason" JSONB,

    CONSTRAINT "order_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "order_slots" (
    "order_id" UUID NOT NULL,
    "generation" INTEGER NOT NULL,
    "account_id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "registered_domain" TEXT NOT NULL,
    "renewal" BOOLEAN NOT NULL,
    "taken_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "order_slots_pkey" PRIMARY KEY ("order_id","generation")
);

-- CreateIndex
CREATE INDEX "order_events_order_id_id_idx" ON "order_events"("order_id", "id");

-- CreateIndex
CREATE INDEX "order_slots_account_id_taken_at_idx" ON "order_slots"("account_id", "taken_at");

-- CreateIndex
CREATE INDEX "order_slots_account_id_registered_domain_taken_at_idx" ON "order_slots"("account_id", "registered_domain", "taken_at");

-- CreateIndex
CREATE INDEX "orders_in_line" ON "orders"("created_at") WHERE (status = 'new'::order_status);

-- AddForeignKey
ALTER TABLE "order_events" ADD CONSTRAINT "order_events_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "order_slots" ADD CONSTRAINT "order_slots_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "accounts"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Every look at DNS writes these rows: with room on the page, that touches no index.
ALTER TABLE "orders" SET (fillfactor = 60);
ALTER TABLE "authorizations" SET (fillfactor = 60);
