import type { Schemas } from "./client";

/** Documents that the API's reference does not name; each as its route gives it. */

export type Role = Schemas["Role"];

export interface Member {
  id: string;
  email: string;
  name: string;
  role: Role;
  joined_at: string;
}

export interface Invitation {
  id: string;
  tenant: string;
  email: string | null;
  role: Role;
  invited_by: string;
  created_at: string;
  expires_at: string;
}

export interface Key {
  id: string;
  name: string;
  scopes: string[];
  endpoint: string | null;
  created_by: string;
  created_by_name?: string | null;
  created_at: string;
  expires_at: string;
  expired: boolean;
  last_used_at: string | null;
}

export interface Person {
  id: string;
  email: string;
  name: string;
  disabled: boolean;
  created_at: string;
}

export interface AuditEvent {
  id: string;
  at: string;
  action: string;
  target: string;
  subject: string;
  subject_name: string | null;
  client: string;
  address: string;
  detail: Record<string, unknown>;
  request_id: string;
}
