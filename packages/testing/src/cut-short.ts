/**
 * What I6 allows: `audit.cut_short` has a row for each time that the placing of an order ended without its URL stored (its worker died
 * or the step failed), or that an order's URL was let go of (placed anew, domain deleted).
 */
export const CUT_SHORT_SQL = `
  CREATE SCHEMA audit;
  CREATE TABLE audit.cut_short (order_id uuid, at timestamptz DEFAULT now());
  CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO audit.cut_short (order_id) VALUES (OLD.id); RETURN NULL; END $$;
  CREATE TRIGGER placing_cut_short AFTER UPDATE ON orders FOR EACH ROW
    WHEN (OLD.acme_url IS NULL AND (NEW.crashes > OLD.crashes OR NEW.failures > OLD.failures)) EXECUTE FUNCTION audit.note();
  CREATE TRIGGER url_let_go AFTER UPDATE ON orders FOR EACH ROW
    WHEN (OLD.acme_url IS NOT NULL AND NEW.acme_url IS DISTINCT FROM OLD.acme_url) EXECUTE FUNCTION audit.note();
  CREATE TRIGGER deleted AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION audit.note();`;
