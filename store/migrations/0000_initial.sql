CREATE SEQUENCE "public"."unified_job_template_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "credential_types" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "credential_types_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"kind" text NOT NULL,
	"namespace" text,
	"managed" boolean DEFAULT false NOT NULL,
	"inputs" json DEFAULT '{}'::json NOT NULL,
	"injectors" json DEFAULT '{}'::json NOT NULL,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "credential_types_name_kind_unique" UNIQUE("name","kind")
);
--> statement-breakpoint
CREATE TABLE "credentials" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "credentials_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"organization_id" integer,
	"user_id" integer,
	"credential_type_id" integer NOT NULL,
	"managed" boolean DEFAULT false NOT NULL,
	"inputs" json DEFAULT '{}'::json NOT NULL,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "credentials_organizationId_name_credentialTypeId_unique" UNIQUE("organization_id","name","credential_type_id")
);
--> statement-breakpoint
CREATE TABLE "execution_environments" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "execution_environments_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"organization_id" integer,
	"image" text NOT NULL,
	"managed" boolean DEFAULT false NOT NULL,
	"credential_id" integer,
	"pull" text DEFAULT '' NOT NULL,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "execution_environments_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "group_children" (
	"parent_id" integer NOT NULL,
	"child_id" integer NOT NULL,
	CONSTRAINT "group_children_parent_id_child_id_pk" PRIMARY KEY("parent_id","child_id")
);
--> statement-breakpoint
CREATE TABLE "group_hosts" (
	"group_id" integer NOT NULL,
	"host_id" integer NOT NULL,
	CONSTRAINT "group_hosts_group_id_host_id_pk" PRIMARY KEY("group_id","host_id")
);
--> statement-breakpoint
CREATE TABLE "groups" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "groups_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"inventory_id" integer NOT NULL,
	"variables" text DEFAULT '' NOT NULL,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "groups_inventoryId_name_unique" UNIQUE("inventory_id","name")
);
--> statement-breakpoint
CREATE TABLE "hosts" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "hosts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"inventory_id" integer NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"instance_id" text DEFAULT '' NOT NULL,
	"variables" text DEFAULT '' NOT NULL,
	"last_job_id" integer,
	"last_job_host_summary_id" integer,
	"ansible_facts" json DEFAULT '{}'::json NOT NULL,
	"ansible_facts_modified" timestamp(6) with time zone,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "hosts_inventoryId_name_unique" UNIQUE("inventory_id","name")
);
--> statement-breakpoint
CREATE TABLE "instance_groups" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "instance_groups_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"is_container_group" boolean DEFAULT false NOT NULL,
	"credential_id" integer,
	"credential_required" boolean DEFAULT false NOT NULL,
	"max_concurrent_jobs" integer DEFAULT 0 NOT NULL,
	"max_forks" integer DEFAULT 0 NOT NULL,
	"pod_spec_override" text DEFAULT '' NOT NULL,
	"policy_instance_percentage" integer DEFAULT 0 NOT NULL,
	"policy_instance_minimum" integer DEFAULT 0 NOT NULL,
	"policy_instance_list" json DEFAULT '[]'::json NOT NULL,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "instance_groups_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "inventories" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "inventories_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"organization_id" integer NOT NULL,
	"kind" text DEFAULT '' NOT NULL,
	"host_filter" text,
	"variables" text DEFAULT '' NOT NULL,
	"prevent_instance_group_fallback" boolean DEFAULT false NOT NULL,
	"pending_deletion" boolean DEFAULT false NOT NULL,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "inventories_organizationId_name_unique" UNIQUE("organization_id","name")
);
--> statement-breakpoint
CREATE TABLE "inventory_instance_groups" (
	"inventory_id" integer NOT NULL,
	"instance_group_id" integer NOT NULL,
	"position" integer NOT NULL,
	CONSTRAINT "inventory_instance_groups_inventory_id_instance_group_id_pk" PRIMARY KEY("inventory_id","instance_group_id")
);
--> statement-breakpoint
CREATE TABLE "job_template_credentials" (
	"job_template_id" integer NOT NULL,
	"credential_id" integer NOT NULL,
	CONSTRAINT "job_template_credentials_job_template_id_credential_id_pk" PRIMARY KEY("job_template_id","credential_id")
);
--> statement-breakpoint
CREATE TABLE "job_template_instance_groups" (
	"job_template_id" integer NOT NULL,
	"instance_group_id" integer NOT NULL,
	"position" integer NOT NULL,
	CONSTRAINT "job_template_instance_groups_job_template_id_instance_group_id_pk" PRIMARY KEY("job_template_id","instance_group_id")
);
--> statement-breakpoint
CREATE TABLE "job_templates" (
	"id" integer PRIMARY KEY DEFAULT nextval('unified_job_template_id_seq') NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"organization_id" integer,
	"job_type" text DEFAULT 'run' NOT NULL,
	"inventory_id" integer,
	"project_id" integer,
	"playbook" text DEFAULT '' NOT NULL,
	"scm_branch" text DEFAULT '' NOT NULL,
	"forks" integer DEFAULT 0 NOT NULL,
	"limit" text DEFAULT '' NOT NULL,
	"verbosity" integer DEFAULT 0 NOT NULL,
	"extra_vars" text DEFAULT '' NOT NULL,
	"job_tags" text DEFAULT '' NOT NULL,
	"force_handlers" boolean DEFAULT false NOT NULL,
	"skip_tags" text DEFAULT '' NOT NULL,
	"start_at_task" text DEFAULT '' NOT NULL,
	"timeout" integer DEFAULT 0 NOT NULL,
	"use_fact_cache" boolean DEFAULT false NOT NULL,
	"execution_environment_id" integer,
	"host_config_key" text DEFAULT '' NOT NULL,
	"ask_scm_branch_on_launch" boolean DEFAULT false NOT NULL,
	"ask_diff_mode_on_launch" boolean DEFAULT false NOT NULL,
	"ask_variables_on_launch" boolean DEFAULT false NOT NULL,
	"ask_limit_on_launch" boolean DEFAULT false NOT NULL,
	"ask_tags_on_launch" boolean DEFAULT false NOT NULL,
	"ask_skip_tags_on_launch" boolean DEFAULT false NOT NULL,
	"ask_job_type_on_launch" boolean DEFAULT false NOT NULL,
	"ask_verbosity_on_launch" boolean DEFAULT false NOT NULL,
	"ask_inventory_on_launch" boolean DEFAULT false NOT NULL,
	"ask_credential_on_launch" boolean DEFAULT false NOT NULL,
	"ask_execution_environment_on_launch" boolean DEFAULT false NOT NULL,
	"ask_labels_on_launch" boolean DEFAULT false NOT NULL,
	"ask_forks_on_launch" boolean DEFAULT false NOT NULL,
	"ask_job_slice_count_on_launch" boolean DEFAULT false NOT NULL,
	"ask_timeout_on_launch" boolean DEFAULT false NOT NULL,
	"ask_instance_groups_on_launch" boolean DEFAULT false NOT NULL,
	"survey_enabled" boolean DEFAULT false NOT NULL,
	"survey_spec" json DEFAULT '{}'::json NOT NULL,
	"become_enabled" boolean DEFAULT false NOT NULL,
	"diff_mode" boolean DEFAULT false NOT NULL,
	"allow_simultaneous" boolean DEFAULT false NOT NULL,
	"job_slice_count" integer DEFAULT 1 NOT NULL,
	"webhook_service" text DEFAULT '' NOT NULL,
	"webhook_credential_id" integer,
	"prevent_instance_group_fallback" boolean DEFAULT false NOT NULL,
	"status" text DEFAULT 'never updated' NOT NULL,
	"last_job_id" integer,
	"current_job_id" integer,
	"last_job_failed" boolean DEFAULT false NOT NULL,
	"last_job_run" timestamp(6) with time zone,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "organization_instance_groups" (
	"organization_id" integer NOT NULL,
	"instance_group_id" integer NOT NULL,
	"position" integer NOT NULL,
	CONSTRAINT "organization_instance_groups_organization_id_instance_group_id_pk" PRIMARY KEY("organization_id","instance_group_id")
);
--> statement-breakpoint
CREATE TABLE "organizations" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "organizations_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"max_hosts" integer DEFAULT 0 NOT NULL,
	"default_environment_id" integer,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "organizations_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "projects" (
	"id" integer PRIMARY KEY DEFAULT nextval('unified_job_template_id_seq') NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"organization_id" integer,
	"local_path" text DEFAULT '' NOT NULL,
	"scm_type" text DEFAULT '' NOT NULL,
	"scm_url" text DEFAULT '' NOT NULL,
	"scm_branch" text DEFAULT '' NOT NULL,
	"scm_refspec" text DEFAULT '' NOT NULL,
	"scm_clean" boolean DEFAULT false NOT NULL,
	"scm_track_submodules" boolean DEFAULT false NOT NULL,
	"scm_delete_on_update" boolean DEFAULT false NOT NULL,
	"scm_update_on_launch" boolean DEFAULT false NOT NULL,
	"scm_update_cache_timeout" integer DEFAULT 0 NOT NULL,
	"scm_revision" text DEFAULT '' NOT NULL,
	"allow_override" boolean DEFAULT false NOT NULL,
	"credential_id" integer,
	"signature_validation_credential_id" integer,
	"default_environment_id" integer,
	"timeout" integer DEFAULT 0 NOT NULL,
	"status" text DEFAULT 'never updated' NOT NULL,
	"last_job_id" integer,
	"current_job_id" integer,
	"last_job_failed" boolean DEFAULT false NOT NULL,
	"last_job_run" timestamp(6) with time zone,
	"playbook_files" json DEFAULT '[]'::json NOT NULL,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"key_hash" text PRIMARY KEY NOT NULL,
	"request_hash" text NOT NULL,
	"job_id" bigint NOT NULL,
	"ignored_fields" json NOT NULL,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "installation" (
	"key" text PRIMARY KEY NOT NULL,
	"value" json NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"key_hash" text PRIMARY KEY NOT NULL,
	"user_id" integer NOT NULL,
	"expires" timestamp(6) with time zone NOT NULL,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tokens" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "tokens_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"user_id" integer NOT NULL,
	"token_hash" text NOT NULL,
	"refresh_token_hash" text,
	"description" text DEFAULT '' NOT NULL,
	"scope" text DEFAULT 'write' NOT NULL,
	"expires" timestamp(6) with time zone NOT NULL,
	"last_used" timestamp(6) with time zone,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tokens_tokenHash_unique" UNIQUE("token_hash")
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "users_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"username" text NOT NULL,
	"password_hash" text,
	"first_name" text DEFAULT '' NOT NULL,
	"last_name" text DEFAULT '' NOT NULL,
	"email" text DEFAULT '' NOT NULL,
	"is_superuser" boolean DEFAULT false NOT NULL,
	"is_system_auditor" boolean DEFAULT false NOT NULL,
	"last_login" timestamp(6) with time zone,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "users_username_unique" UNIQUE("username")
);
--> statement-breakpoint
CREATE TABLE "artifact_chunks" (
	"job_id" integer NOT NULL,
	"sequence" integer NOT NULL,
	"data" "bytea" NOT NULL,
	CONSTRAINT "artifact_chunks_job_id_sequence_pk" PRIMARY KEY("job_id","sequence")
);
--> statement-breakpoint
CREATE TABLE "job_events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "job_events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"job_id" integer NOT NULL,
	"counter" integer NOT NULL,
	"event" text NOT NULL,
	"uuid" text NOT NULL,
	"parent_uuid" text DEFAULT '' NOT NULL,
	"failed" boolean DEFAULT false NOT NULL,
	"changed" boolean DEFAULT false NOT NULL,
	"host_id" integer,
	"host_name" text DEFAULT '' NOT NULL,
	"playbook" text DEFAULT '' NOT NULL,
	"play" text DEFAULT '' NOT NULL,
	"task" text DEFAULT '' NOT NULL,
	"role" text DEFAULT '' NOT NULL,
	"stdout" text DEFAULT '' NOT NULL,
	"stdout_raw" "bytea",
	"start_line" integer DEFAULT 0 NOT NULL,
	"end_line" integer DEFAULT 0 NOT NULL,
	"verbosity" integer DEFAULT 0 NOT NULL,
	"event_data" json DEFAULT '{}'::json NOT NULL,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "job_host_summaries" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "job_host_summaries_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"job_id" integer NOT NULL,
	"host_id" integer,
	"host_name" text NOT NULL,
	"changed" integer DEFAULT 0 NOT NULL,
	"dark" integer DEFAULT 0 NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"ignored" integer DEFAULT 0 NOT NULL,
	"ok" integer DEFAULT 0 NOT NULL,
	"processed" integer DEFAULT 0 NOT NULL,
	"rescued" integer DEFAULT 0 NOT NULL,
	"skipped" integer DEFAULT 0 NOT NULL,
	"failed" boolean DEFAULT false NOT NULL,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "unified_job_credentials" (
	"job_id" integer NOT NULL,
	"credential_id" integer NOT NULL,
	CONSTRAINT "unified_job_credentials_job_id_credential_id_pk" PRIMARY KEY("job_id","credential_id")
);
--> statement-breakpoint
CREATE TABLE "unified_jobs" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "unified_jobs_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"type" text NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"unified_job_template_id" integer,
	"organization_id" integer,
	"launch_type" text DEFAULT 'manual' NOT NULL,
	"status" text DEFAULT 'new' NOT NULL,
	"failed" boolean DEFAULT false NOT NULL,
	"started" timestamp(6) with time zone,
	"finished" timestamp(6) with time zone,
	"canceled_on" timestamp(6) with time zone,
	"elapsed" double precision DEFAULT 0 NOT NULL,
	"cancel_flag" boolean DEFAULT false NOT NULL,
	"job_explanation" text DEFAULT '' NOT NULL,
	"result_traceback" text DEFAULT '' NOT NULL,
	"cause" text,
	"job_args" text DEFAULT '' NOT NULL,
	"job_cwd" text DEFAULT '' NOT NULL,
	"job_env" json DEFAULT '{}'::json NOT NULL,
	"execution_node" text DEFAULT '' NOT NULL,
	"controller_node" text DEFAULT '' NOT NULL,
	"work_unit_id" text,
	"execution_environment_id" integer,
	"instance_group_id" integer,
	"events_emitted" integer,
	"events_stored" integer DEFAULT 0 NOT NULL,
	"host_status_counts" json DEFAULT '{}'::json NOT NULL,
	"play_count" integer DEFAULT 0 NOT NULL,
	"task_count" integer DEFAULT 0 NOT NULL,
	"artifacts" json DEFAULT '{}'::json NOT NULL,
	"scm_revision" text DEFAULT '' NOT NULL,
	"run_id" text,
	"attempt_count" integer DEFAULT 0 NOT NULL,
	"waiting_since" timestamp(6) with time zone,
	"waiting_reason" text DEFAULT '' NOT NULL,
	"eligible_groups" json DEFAULT '[]'::json NOT NULL,
	"launch_config" json DEFAULT '{}'::json NOT NULL,
	"launch_secrets" text,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"job_template_id" integer,
	"job_type" text DEFAULT 'run' NOT NULL,
	"inventory_id" integer,
	"project_id" integer,
	"playbook" text DEFAULT '' NOT NULL,
	"scm_branch" text DEFAULT '' NOT NULL,
	"forks" integer DEFAULT 0 NOT NULL,
	"limit" text DEFAULT '' NOT NULL,
	"verbosity" integer DEFAULT 0 NOT NULL,
	"extra_vars" text DEFAULT '{}' NOT NULL,
	"job_tags" text DEFAULT '' NOT NULL,
	"force_handlers" boolean DEFAULT false NOT NULL,
	"skip_tags" text DEFAULT '' NOT NULL,
	"start_at_task" text DEFAULT '' NOT NULL,
	"timeout" integer DEFAULT 0 NOT NULL,
	"use_fact_cache" boolean DEFAULT false NOT NULL,
	"become_enabled" boolean DEFAULT false NOT NULL,
	"diff_mode" boolean DEFAULT false NOT NULL,
	"allow_simultaneous" boolean DEFAULT false NOT NULL,
	"job_slice_number" integer DEFAULT 0 NOT NULL,
	"job_slice_count" integer DEFAULT 1 NOT NULL,
	"project_update_id" integer,
	"local_path" text DEFAULT '' NOT NULL,
	"scm_type" text DEFAULT '' NOT NULL,
	"scm_url" text DEFAULT '' NOT NULL,
	"scm_refspec" text DEFAULT '' NOT NULL,
	"scm_clean" boolean DEFAULT false NOT NULL,
	"scm_track_submodules" boolean DEFAULT false NOT NULL,
	"scm_delete_on_update" boolean DEFAULT false NOT NULL,
	"credential_id" integer
);
--> statement-breakpoint
CREATE TABLE "attempts" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "attempts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"job_id" integer NOT NULL,
	"number" integer NOT NULL,
	"instance_group_id" integer,
	"workflow_id" text NOT NULL,
	"run_id" text NOT NULL,
	"phase" text NOT NULL,
	"cluster_key" text DEFAULT '' NOT NULL,
	"credential_id" integer,
	"namespace" text DEFAULT '' NOT NULL,
	"pod_name" text DEFAULT '' NOT NULL,
	"pod_uid" text,
	"offset" bigint DEFAULT 0 NOT NULL,
	"last_counter" integer DEFAULT 0 NOT NULL,
	"cause" json,
	"claimed_at" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"pod_created_at" timestamp(6) with time zone,
	"delivered_at" timestamp(6) with time zone,
	"first_event_at" timestamp(6) with time zone,
	"ended_at" timestamp(6) with time zone,
	"released_at" timestamp(6) with time zone
);
--> statement-breakpoint
CREATE TABLE "group_brakes" (
	"instance_group_id" integer PRIMARY KEY NOT NULL,
	"reason" text NOT NULL,
	"since" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"job_id" integer NOT NULL,
	"tries" integer DEFAULT 0 NOT NULL,
	"last_error" text DEFAULT '' NOT NULL,
	"next_try_at" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "credential_types" ADD CONSTRAINT "credential_types_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credential_types" ADD CONSTRAINT "credential_types_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_credential_type_id_credential_types_id_fk" FOREIGN KEY ("credential_type_id") REFERENCES "public"."credential_types"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "execution_environments" ADD CONSTRAINT "execution_environments_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "execution_environments" ADD CONSTRAINT "execution_environments_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credentials"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "execution_environments" ADD CONSTRAINT "execution_environments_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "execution_environments" ADD CONSTRAINT "execution_environments_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "group_children" ADD CONSTRAINT "group_children_parent_id_groups_id_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."groups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "group_children" ADD CONSTRAINT "group_children_child_id_groups_id_fk" FOREIGN KEY ("child_id") REFERENCES "public"."groups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "group_hosts" ADD CONSTRAINT "group_hosts_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "group_hosts" ADD CONSTRAINT "group_hosts_host_id_hosts_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."hosts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_inventory_id_inventories_id_fk" FOREIGN KEY ("inventory_id") REFERENCES "public"."inventories"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosts" ADD CONSTRAINT "hosts_inventory_id_inventories_id_fk" FOREIGN KEY ("inventory_id") REFERENCES "public"."inventories"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosts" ADD CONSTRAINT "hosts_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hosts" ADD CONSTRAINT "hosts_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "instance_groups" ADD CONSTRAINT "instance_groups_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credentials"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventories" ADD CONSTRAINT "inventories_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventories" ADD CONSTRAINT "inventories_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventories" ADD CONSTRAINT "inventories_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_instance_groups" ADD CONSTRAINT "inventory_instance_groups_inventory_id_inventories_id_fk" FOREIGN KEY ("inventory_id") REFERENCES "public"."inventories"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_instance_groups" ADD CONSTRAINT "inventory_instance_groups_instance_group_id_instance_groups_id_fk" FOREIGN KEY ("instance_group_id") REFERENCES "public"."instance_groups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_template_credentials" ADD CONSTRAINT "job_template_credentials_job_template_id_job_templates_id_fk" FOREIGN KEY ("job_template_id") REFERENCES "public"."job_templates"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_template_credentials" ADD CONSTRAINT "job_template_credentials_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credentials"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_template_instance_groups" ADD CONSTRAINT "job_template_instance_groups_job_template_id_job_templates_id_fk" FOREIGN KEY ("job_template_id") REFERENCES "public"."job_templates"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_template_instance_groups" ADD CONSTRAINT "job_template_instance_groups_instance_group_id_instance_groups_id_fk" FOREIGN KEY ("instance_group_id") REFERENCES "public"."instance_groups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_templates" ADD CONSTRAINT "job_templates_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_templates" ADD CONSTRAINT "job_templates_inventory_id_inventories_id_fk" FOREIGN KEY ("inventory_id") REFERENCES "public"."inventories"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_templates" ADD CONSTRAINT "job_templates_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_templates" ADD CONSTRAINT "job_templates_execution_environment_id_execution_environments_id_fk" FOREIGN KEY ("execution_environment_id") REFERENCES "public"."execution_environments"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_templates" ADD CONSTRAINT "job_templates_webhook_credential_id_credentials_id_fk" FOREIGN KEY ("webhook_credential_id") REFERENCES "public"."credentials"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_templates" ADD CONSTRAINT "job_templates_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_templates" ADD CONSTRAINT "job_templates_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "organization_instance_groups" ADD CONSTRAINT "organization_instance_groups_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "organization_instance_groups" ADD CONSTRAINT "organization_instance_groups_instance_group_id_instance_groups_id_fk" FOREIGN KEY ("instance_group_id") REFERENCES "public"."instance_groups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_default_environment_id_execution_environments_id_fk" FOREIGN KEY ("default_environment_id") REFERENCES "public"."execution_environments"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "projects" ADD CONSTRAINT "projects_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "projects" ADD CONSTRAINT "projects_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credentials"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "projects" ADD CONSTRAINT "projects_signature_validation_credential_id_credentials_id_fk" FOREIGN KEY ("signature_validation_credential_id") REFERENCES "public"."credentials"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "projects" ADD CONSTRAINT "projects_default_environment_id_execution_environments_id_fk" FOREIGN KEY ("default_environment_id") REFERENCES "public"."execution_environments"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "projects" ADD CONSTRAINT "projects_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "projects" ADD CONSTRAINT "projects_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tokens" ADD CONSTRAINT "tokens_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "artifact_chunks" ADD CONSTRAINT "artifact_chunks_job_id_unified_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."unified_jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_events" ADD CONSTRAINT "job_events_job_id_unified_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."unified_jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_host_summaries" ADD CONSTRAINT "job_host_summaries_job_id_unified_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."unified_jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_job_credentials" ADD CONSTRAINT "unified_job_credentials_job_id_unified_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."unified_jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_job_credentials" ADD CONSTRAINT "unified_job_credentials_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credentials"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_execution_environment_id_execution_environments_id_fk" FOREIGN KEY ("execution_environment_id") REFERENCES "public"."execution_environments"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_instance_group_id_instance_groups_id_fk" FOREIGN KEY ("instance_group_id") REFERENCES "public"."instance_groups"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_job_template_id_job_templates_id_fk" FOREIGN KEY ("job_template_id") REFERENCES "public"."job_templates"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_inventory_id_inventories_id_fk" FOREIGN KEY ("inventory_id") REFERENCES "public"."inventories"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credentials"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_job_id_unified_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."unified_jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_instance_group_id_instance_groups_id_fk" FOREIGN KEY ("instance_group_id") REFERENCES "public"."instance_groups"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "group_brakes" ADD CONSTRAINT "group_brakes_instance_group_id_instance_groups_id_fk" FOREIGN KEY ("instance_group_id") REFERENCES "public"."instance_groups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "outbox" ADD CONSTRAINT "outbox_job_id_unified_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."unified_jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "group_children_child_id_index" ON "group_children" USING btree ("child_id");--> statement-breakpoint
CREATE INDEX "group_hosts_host_id_index" ON "group_hosts" USING btree ("host_id");--> statement-breakpoint
CREATE INDEX "job_template_credentials_credential_id_index" ON "job_template_credentials" USING btree ("credential_id");--> statement-breakpoint
CREATE INDEX "job_templates_organization_id_name_index" ON "job_templates" USING btree ("organization_id","name");--> statement-breakpoint
CREATE INDEX "job_templates_name_index" ON "job_templates" USING btree ("name");--> statement-breakpoint
CREATE INDEX "projects_organization_id_name_index" ON "projects" USING btree ("organization_id","name");--> statement-breakpoint
CREATE INDEX "sessions_expires_index" ON "sessions" USING btree ("expires");--> statement-breakpoint
CREATE UNIQUE INDEX "job_events_job_id_counter_index" ON "job_events" USING btree ("job_id","counter");--> statement-breakpoint
CREATE INDEX "job_events_job_id_start_line_counter_index" ON "job_events" USING btree ("job_id","start_line","counter");--> statement-breakpoint
CREATE INDEX "job_events_job_id_uuid_index" ON "job_events" USING btree ("job_id","uuid");--> statement-breakpoint
CREATE INDEX "job_events_job_id_parent_uuid_index" ON "job_events" USING btree ("job_id","parent_uuid");--> statement-breakpoint
CREATE UNIQUE INDEX "job_host_summaries_job_id_host_name_index" ON "job_host_summaries" USING btree ("job_id","host_name");--> statement-breakpoint
CREATE INDEX "job_host_summaries_host_id_index" ON "job_host_summaries" USING btree ("host_id");--> statement-breakpoint
CREATE INDEX "unified_jobs_status_index" ON "unified_jobs" USING btree ("status");--> statement-breakpoint
CREATE INDEX "unified_jobs_type_finished_index" ON "unified_jobs" USING btree ("type","finished");--> statement-breakpoint
CREATE INDEX "unified_jobs_unified_job_template_id_index" ON "unified_jobs" USING btree ("unified_job_template_id");--> statement-breakpoint
CREATE INDEX "unified_jobs_instance_group_id_status_index" ON "unified_jobs" USING btree ("instance_group_id","status");--> statement-breakpoint
CREATE UNIQUE INDEX "attempts_job_id_number_index" ON "attempts" USING btree ("job_id","number");--> statement-breakpoint
CREATE INDEX "attempts_instance_group_id_released_at_index" ON "attempts" USING btree ("instance_group_id","released_at");--> statement-breakpoint
CREATE INDEX "attempts_pod_name_index" ON "attempts" USING btree ("pod_name");--> statement-breakpoint
CREATE INDEX "outbox_next_try_at_index" ON "outbox" USING btree ("next_try_at");--> statement-breakpoint
CREATE UNIQUE INDEX "outbox_job_id_kind_index" ON "outbox" USING btree ("job_id","kind");