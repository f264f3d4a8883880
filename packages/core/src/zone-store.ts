/** The TXT values that live orders want to be seen at a label. */
export interface LabelValues {
  label: string;
  values: string[];
}

/** What name servers read of the zone `ACME_ZONE`; they need no right but to read. */
export interface ZoneStore {
  /** Labels in use, in their order, after `after`. */
  labels(after: string, limit: number): Promise<string[]>;
  /** All values that are wanted now. */
  values(): Promise<LabelValues[]>;
  /** The last change there was, for `changes`. */
  newestChange(): Promise<string>;
  /** The labels of all domains that anything has become of since, with the values that are wanted now. */
  changes(after: string): Promise<{ newest: string; changed: LabelValues[] }>;
}
