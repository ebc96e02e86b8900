// Written by `deno task types` from the migrations, with the Supabase CLI. Not to be edited.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  "public": {
    Tables: {
      [_ in never]: never;
    };
    Views: {
      "oauth_connections": {
        Row: {
          "access_expires_at": string | null;
          "account": Json | null;
          "authorization_expires_at": string | null;
          "created_at": string;
          "id": string;
          "provider": string;
          "scope": (string)[];
          "status": string;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "access_expires_at"?: string | null;
          "account"?: never;
          "authorization_expires_at"?: string | null;
          "created_at"?: string | null;
          "id"?: string | null;
          "provider"?: string | null;
          "scope"?: (string)[] | null;
          "status"?: string | null;
          "updated_at"?: string | null;
        };
        Update: {
          "access_expires_at"?: string | null;
          "account"?: never;
          "authorization_expires_at"?: string | null;
          "created_at"?: string | null;
          "id"?: string | null;
          "provider"?: string | null;
          "scope"?: (string)[] | null;
          "status"?: string | null;
          "updated_at"?: string | null;
        };
        Relationships: [];
      };
      "oauth_events": {
        Row: {
          "code": string | null;
          "connection_id": string;
          "created_at": string;
          "id": number;
          "kind": string;
          "scope": (string)[] | null;
          "version": number;
        };
        ComputedFields: never;
        Insert: {
          "code"?: string | null;
          "connection_id"?: string | null;
          "created_at"?: string | null;
          "id"?: number | null;
          "kind"?: string | null;
          "scope"?: (string)[] | null;
          "version"?: number | null;
        };
        Update: {
          "code"?: string | null;
          "connection_id"?: string | null;
          "created_at"?: string | null;
          "id"?: number | null;
          "kind"?: string | null;
          "scope"?: (string)[] | null;
          "version"?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: "events_connection_id_fkey";
            columns: ["connection_id"];
            isOneToOne: false;
            referencedRelation: "oauth_connections";
            referencedColumns: ["id"];
          },
        ];
      };
    };
    Functions: {
      "oauth_begin_authorization": {
        Args: {
          "p_binding_hash": string;
          "p_code_verifier_sealed": string;
          "p_id": string;
          "p_lifetime_ms": number;
          "p_limit": number;
          "p_provider": string;
          "p_redirect_uri": string;
          "p_return_to": string;
          "p_user_id": string;
        };
        Returns: {
          "expires_at": string;
          "outcome": string;
        }[];
      };
      "oauth_begin_sweep": { Args: { "p_offered": (string)[] }; Returns: undefined };
      "oauth_claim_due": {
        Args: {
          "p_failed": boolean;
          "p_idle_ms": number;
          "p_key_ids": (string)[];
          "p_lease_ms": number;
          "p_limit": number;
          "p_provider": string;
          "p_request_ms": number;
          "p_settle_ms": number;
        };
        Returns: {
          "access_expires_at": string;
          "access_token_sealed": string;
          "expires_in_ms": number;
          "id": string;
          "lease_id": string;
          "outcome": string;
          "refresh_token_sealed": string;
          "retry_in_ms": number;
          "version": number;
        }[];
      };
      "oauth_claim_refresh": {
        Args: {
          "p_force": boolean;
          "p_id": string;
          "p_key_ids": (string)[];
          "p_lease_ms": number;
          "p_request_ms": number;
          "p_seen_version": number;
          "p_settle_ms": number;
        };
        Returns: {
          "access_expires_at": string;
          "access_token_sealed": string;
          "expires_in_ms": number;
          "lease_id": string;
          "outcome": string;
          "refresh_token_sealed": string;
          "retry_in_ms": number;
          "version": number;
        }[];
      };
      "oauth_claim_revocations": {
        Args: { "p_id": string; "p_key_ids": (string)[]; "p_limit": number; "p_provider": string };
        Returns: {
          "connection_id": string;
          "outcome": string;
          "refresh_token_sealed": string;
        }[];
      };
      "oauth_commit_refresh": {
        Args: {
          "p_access_token_sealed": string;
          "p_authorization_expires_in_ms"?: number;
          "p_base_version": number;
          "p_client_fingerprint"?: string;
          "p_elapsed_ms": number;
          "p_expires_in_ms": number;
          "p_id": string;
          "p_key_id": string;
          "p_lease_id": string;
          "p_refresh_ahead_ms"?: number;
          "p_refresh_token_sealed": string;
          "p_scope": string;
        };
        Returns: {
          "access_expires_at": string;
          "outcome": string;
        }[];
      };
      "oauth_connect": {
        Args: {
          "p_access_token_sealed": string;
          "p_account_email": string;
          "p_account_key": string;
          "p_account_name": string;
          "p_authorization_expires_in_ms"?: number;
          "p_client_fingerprint"?: string;
          "p_client_id"?: string;
          "p_elapsed_ms": number;
          "p_exchange_ms"?: number;
          "p_expires_in_ms": number;
          "p_id": string;
          "p_key_id": string;
          "p_provider": string;
          "p_refresh_ahead_ms"?: number;
          "p_refresh_token_sealed": string;
          "p_refreshable"?: boolean;
          "p_request_id": string;
          "p_scope": string;
          "p_user_id": string;
        };
        Returns: {
          "access_expires_at": string | null;
          "account": Json | null;
          "authorization_expires_at": string | null;
          "created_at": string;
          "id": string;
          "provider": string;
          "scope": (string)[];
          "status": string;
          "updated_at": string;
        }[];
        SetofOptions: {
          from: "*";
          to: "oauth_connections";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "oauth_connection": {
        Args: { "p_id": string; "p_user_id": string };
        Returns: {
          "access_expires_at": string | null;
          "account": Json | null;
          "authorization_expires_at": string | null;
          "created_at": string;
          "id": string;
          "provider": string;
          "scope": (string)[];
          "status": string;
          "updated_at": string;
        }[];
        SetofOptions: {
          from: "*";
          to: "oauth_connections";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "oauth_disconnect": {
        Args: { "p_id": string; "p_provider": string; "p_user_id": string };
        Returns: {
          "access_expires_at": string | null;
          "account": Json | null;
          "authorization_expires_at": string | null;
          "created_at": string;
          "id": string;
          "provider": string;
          "scope": (string)[];
          "status": string;
          "updated_at": string;
        }[];
        SetofOptions: {
          from: "*";
          to: "oauth_connections";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "oauth_fail_refresh": {
        Args: {
          "p_access_refused"?: boolean;
          "p_class": string;
          "p_client_fingerprint"?: string;
          "p_client_id"?: string;
          "p_code": string;
          "p_id": string;
          "p_lease_id": string;
          "p_wait_ms": number;
        };
        Returns: {
          "counts": boolean;
          "outcome": string;
          "retry_in_ms": number;
        }[];
      };
      "oauth_finish_revocation": {
        Args: { "p_id": string; "p_refresh_token_sealed": string };
        Returns: undefined;
      };
      "oauth_keys_in_use": {
        Args: { "p_samples": number };
        Returns: {
          "id": string;
          "key_id": string;
          "marked": boolean;
          "provider": string;
          "refresh_token_sealed": string;
        }[];
      };
      "oauth_mark_unreadable": {
        Args: {
          "p_ids": (string)[];
          "p_key_ids": (string)[];
          "p_provider": string;
          "p_refresh_tokens_sealed": (string)[];
        };
        Returns: {
          "key_id": string;
          "unreadable": number;
        }[];
      };
      "oauth_peek": {
        Args: { "p_id": string; "p_provider"?: string; "p_seen_version": number; "p_user_id": string };
        Returns: {
          "access_expires_at": string;
          "access_token_sealed": string;
          "age_ms": number;
          "busy_ms": number;
          "expires_in_ms": number;
          "fresh_in_ms": number;
          "id": string;
          "provider": string;
          "refresh_in_ms": number;
          "status": string;
          "version": number;
        }[];
      };
      "oauth_purge": { Args: { "p_limit": number }; Returns: number };
      "oauth_receive_authorization_response": {
        Args: { "p_code_sealed": string; "p_id": string; "p_provider": string; "p_ticket_hash": string };
        Returns: {
          "return_to": string;
        }[];
      };
      "oauth_reseal": {
        Args: {
          "p_access_token_sealed": string;
          "p_id": string;
          "p_key_id": string;
          "p_refresh_token_sealed": string;
          "p_sealed": string;
        };
        Returns: boolean;
      };
      "oauth_return_authorization": {
        Args: { "p_attempt_id": string; "p_refused": boolean; "p_ticket_hash": string };
        Returns: undefined;
      };
      "oauth_sealed_under_other_keys": {
        Args: { "p_key_ids": (string)[]; "p_limit": number; "p_provider": string };
        Returns: {
          "access_token_sealed": string;
          "id": string;
          "refresh_token_sealed": string;
        }[];
      };
      "oauth_take_authorization": {
        Args: {
          "p_attempt_id": string;
          "p_binding_hash": string;
          "p_provider": string;
          "p_ticket_hash": string;
          "p_user_id": string;
        };
        Returns: {
          "code_sealed": string;
          "code_verifier_sealed": string;
          "connection_id": string;
          "id": string;
          "outcome": string;
          "redirect_uri": string;
        }[];
      };
      "oauth_uninstall": {
        Args: { "p_account_key": string; "p_age_ms"?: number; "p_occurred_at": string; "p_provider": string };
        Returns: number;
      };
    };
    Enums: {
      [_ in never]: never;
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof (
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
    )
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals } ? (
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
  )[TableName] extends {
    Row: infer R;
  } ? R
  : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R;
    } ? R
    : never
  : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
    Insert: infer I;
  } ? I
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I;
    } ? I
    : never
  : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
    Update: infer U;
  } ? U
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U;
    } ? U
    : never
  : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never;

export const Constants = {
  "public": {
    Enums: {},
  },
} as const;
