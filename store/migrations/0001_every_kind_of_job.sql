CREATE TABLE "organization_galaxy_credentials" (
	"organization_id" integer NOT NULL,
	"credential_id" integer NOT NULL,
	"position" integer NOT NULL,
	CONSTRAINT "organization_galaxy_credentials_organization_id_credential_id_pk" PRIMARY KEY("organization_id","credential_id")
);
--> statement-breakpoint
CREATE TABLE "inventory_labels" (
	"inventory_id" integer NOT NULL,
	"label_id" integer NOT NULL,
	CONSTRAINT "inventory_labels_inventory_id_label_id_pk" PRIMARY KEY("inventory_id","label_id")
);
--> statement-breakpoint
CREATE TABLE "job_template_labels" (
	"job_template_id" integer NOT NULL,
	"label_id" integer NOT NULL,
	CONSTRAINT "job_template_labels_job_template_id_label_id_pk" PRIMARY KEY("job_template_id","label_id")
);
--> statement-breakpoint
CREATE TABLE "labels" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "labels_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"organization_id" integer NOT NULL,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "labels_organizationId_name_unique" UNIQUE("organization_id","name")
);
--> statement-breakpoint
CREATE TABLE "schedule_labels" (
	"schedule_id" integer NOT NULL,
	"label_id" integer NOT NULL,
	CONSTRAINT "schedule_labels_schedule_id_label_id_pk" PRIMARY KEY("schedule_id","label_id")
);
--> statement-breakpoint
CREATE TABLE "unified_job_labels" (
	"job_id" integer NOT NULL,
	"label_id" integer NOT NULL,
	CONSTRAINT "unified_job_labels_job_id_label_id_pk" PRIMARY KEY("job_id","label_id")
);
--> statement-breakpoint
CREATE TABLE "workflow_job_node_labels" (
	"node_id" integer NOT NULL,
	"label_id" integer NOT NULL,
	CONSTRAINT "workflow_job_node_labels_node_id_label_id_pk" PRIMARY KEY("node_id","label_id")
);
--> statement-breakpoint
CREATE TABLE "workflow_job_template_labels" (
	"workflow_job_template_id" integer NOT NULL,
	"label_id" integer NOT NULL,
	CONSTRAINT "workflow_job_template_labels_workflow_job_template_id_label_id_pk" PRIMARY KEY("workflow_job_template_id","label_id")
);
--> statement-breakpoint
CREATE TABLE "workflow_job_template_node_labels" (
	"node_id" integer NOT NULL,
	"label_id" integer NOT NULL,
	CONSTRAINT "workflow_job_template_node_labels_node_id_label_id_pk" PRIMARY KEY("node_id","label_id")
);
--> statement-breakpoint
CREATE TABLE "notification_attachments" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "notification_attachments_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"notification_template_id" integer NOT NULL,
	"list" text NOT NULL,
	"organization_id" integer,
	"project_id" integer,
	"job_template_id" integer,
	"workflow_job_template_id" integer,
	"inventory_source_id" integer,
	"system_job_template_id" integer,
	CONSTRAINT "notification_attachments_unique" UNIQUE NULLS NOT DISTINCT("notification_template_id","list","organization_id","project_id","job_template_id","workflow_job_template_id","inventory_source_id","system_job_template_id")
);
--> statement-breakpoint
CREATE TABLE "notification_templates" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "notification_templates_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"organization_id" integer NOT NULL,
	"notification_type" text NOT NULL,
	"notification_configuration" json DEFAULT '{}'::json NOT NULL,
	"messages" json,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "notification_templates_organizationId_name_unique" UNIQUE("organization_id","name")
);
--> statement-breakpoint
CREATE TABLE "notifications" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "notifications_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"notification_template_id" integer NOT NULL,
	"job_id" integer,
	"event" text NOT NULL,
	"snapshot" json,
	"status" text DEFAULT 'pending' NOT NULL,
	"error" text DEFAULT '' NOT NULL,
	"notifications_sent" integer DEFAULT 0 NOT NULL,
	"tries" integer DEFAULT 0 NOT NULL,
	"notification_type" text NOT NULL,
	"recipients" text DEFAULT '' NOT NULL,
	"subject" text DEFAULT '' NOT NULL,
	"body" text,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "schedule_runs" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "schedule_runs_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"schedule_id" integer NOT NULL,
	"instant" timestamp(6) with time zone NOT NULL,
	"origin" text DEFAULT 'rule' NOT NULL,
	"state" text NOT NULL,
	"job_id" integer,
	"explanation" text DEFAULT '' NOT NULL,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "schedule_credentials" (
	"schedule_id" integer NOT NULL,
	"credential_id" integer NOT NULL,
	CONSTRAINT "schedule_credentials_schedule_id_credential_id_pk" PRIMARY KEY("schedule_id","credential_id")
);
--> statement-breakpoint
CREATE TABLE "schedule_instance_groups" (
	"schedule_id" integer NOT NULL,
	"instance_group_id" integer NOT NULL,
	"position" integer NOT NULL,
	CONSTRAINT "schedule_instance_groups_schedule_id_instance_group_id_pk" PRIMARY KEY("schedule_id","instance_group_id")
);
--> statement-breakpoint
CREATE TABLE "schedules" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "schedules_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"unified_job_template_id" integer NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"rrule" text NOT NULL,
	"dtstart" timestamp(6) with time zone,
	"dtend" timestamp(6) with time zone,
	"next_run" timestamp(6) with time zone,
	"overlap_policy" text DEFAULT 'allow_all' NOT NULL,
	"catchup_window" integer DEFAULT 3600 NOT NULL,
	"jitter" integer DEFAULT 0 NOT NULL,
	"pause_on_failure" boolean DEFAULT false NOT NULL,
	"rule_since" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"planned_until" timestamp(6) with time zone,
	"extra_data" json DEFAULT '{}'::json NOT NULL,
	"inventory_id" integer,
	"scm_branch" text,
	"job_type" text,
	"job_tags" text,
	"skip_tags" text,
	"limit" text,
	"diff_mode" boolean,
	"verbosity" integer,
	"execution_environment_id" integer,
	"forks" integer,
	"job_slice_count" integer,
	"timeout" integer,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "schedules_unifiedJobTemplateId_name_unique" UNIQUE("unified_job_template_id","name")
);
--> statement-breakpoint
CREATE TABLE "inventory_inputs" (
	"inventory_id" integer NOT NULL,
	"input_inventory_id" integer NOT NULL,
	"position" integer NOT NULL,
	CONSTRAINT "inventory_inputs_inventory_id_input_inventory_id_pk" PRIMARY KEY("inventory_id","input_inventory_id")
);
--> statement-breakpoint
CREATE TABLE "inventory_source_credentials" (
	"inventory_source_id" integer NOT NULL,
	"credential_id" integer NOT NULL,
	CONSTRAINT "inventory_source_credentials_inventory_source_id_credential_id_pk" PRIMARY KEY("inventory_source_id","credential_id")
);
--> statement-breakpoint
CREATE TABLE "inventory_source_groups" (
	"inventory_source_id" integer NOT NULL,
	"group_id" integer NOT NULL,
	CONSTRAINT "inventory_source_groups_inventory_source_id_group_id_pk" PRIMARY KEY("inventory_source_id","group_id")
);
--> statement-breakpoint
CREATE TABLE "inventory_source_hosts" (
	"inventory_source_id" integer NOT NULL,
	"host_id" integer NOT NULL,
	CONSTRAINT "inventory_source_hosts_inventory_source_id_host_id_pk" PRIMARY KEY("inventory_source_id","host_id")
);
--> statement-breakpoint
CREATE TABLE "inventory_sources" (
	"id" integer PRIMARY KEY DEFAULT nextval('unified_job_template_id_seq') NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"inventory_id" integer NOT NULL,
	"source" text DEFAULT 'scm' NOT NULL,
	"source_path" text DEFAULT '' NOT NULL,
	"source_vars" text DEFAULT '' NOT NULL,
	"scm_branch" text DEFAULT '' NOT NULL,
	"source_project_id" integer,
	"enabled_var" text DEFAULT '' NOT NULL,
	"enabled_value" text DEFAULT '' NOT NULL,
	"host_filter" text DEFAULT '' NOT NULL,
	"overwrite" boolean DEFAULT false NOT NULL,
	"overwrite_vars" boolean DEFAULT false NOT NULL,
	"timeout" integer DEFAULT 0 NOT NULL,
	"verbosity" integer DEFAULT 1 NOT NULL,
	"limit" text DEFAULT '' NOT NULL,
	"execution_environment_id" integer,
	"update_on_launch" boolean DEFAULT false NOT NULL,
	"update_cache_timeout" integer DEFAULT 0 NOT NULL,
	"status" text DEFAULT 'never updated' NOT NULL,
	"last_job_id" integer,
	"current_job_id" integer,
	"last_job_failed" boolean DEFAULT false NOT NULL,
	"last_job_run" timestamp(6) with time zone,
	"next_job_run" timestamp(6) with time zone,
	"next_schedule_id" integer,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "system_job_templates" (
	"id" integer PRIMARY KEY DEFAULT nextval('unified_job_template_id_seq') NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"job_type" text NOT NULL,
	"execution_environment_id" integer,
	"status" text DEFAULT 'never updated' NOT NULL,
	"last_job_id" integer,
	"current_job_id" integer,
	"last_job_failed" boolean DEFAULT false NOT NULL,
	"last_job_run" timestamp(6) with time zone,
	"next_job_run" timestamp(6) with time zone,
	"next_schedule_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "workflow_job_edges" (
	"parent_id" integer NOT NULL,
	"child_id" integer NOT NULL,
	"kind" text NOT NULL,
	CONSTRAINT "workflow_job_edges_parent_id_child_id_pk" PRIMARY KEY("parent_id","child_id")
);
--> statement-breakpoint
CREATE TABLE "workflow_job_node_credentials" (
	"node_id" integer NOT NULL,
	"credential_id" integer NOT NULL,
	CONSTRAINT "workflow_job_node_credentials_node_id_credential_id_pk" PRIMARY KEY("node_id","credential_id")
);
--> statement-breakpoint
CREATE TABLE "workflow_job_node_instance_groups" (
	"node_id" integer NOT NULL,
	"instance_group_id" integer NOT NULL,
	"position" integer NOT NULL,
	CONSTRAINT "workflow_job_node_instance_groups_node_id_instance_group_id_pk" PRIMARY KEY("node_id","instance_group_id")
);
--> statement-breakpoint
CREATE TABLE "workflow_job_nodes" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "workflow_job_nodes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"workflow_job_id" integer NOT NULL,
	"unified_job_template_id" integer,
	"template_type" text,
	"identifier" text NOT NULL,
	"all_parents_must_converge" boolean DEFAULT false NOT NULL,
	"job_id" integer,
	"earlier_jobs" json DEFAULT '[]'::json NOT NULL,
	"do_not_run" boolean DEFAULT false NOT NULL,
	"reuse_job_id" integer,
	"skipped" boolean DEFAULT false NOT NULL,
	"ancestor_artifacts" json DEFAULT '{}'::json NOT NULL,
	"job_slice" integer DEFAULT 0 NOT NULL,
	"extra_data" json DEFAULT '{}'::json NOT NULL,
	"inventory_id" integer,
	"scm_branch" text,
	"job_type" text,
	"job_tags" text,
	"skip_tags" text,
	"limit" text,
	"diff_mode" boolean,
	"verbosity" integer,
	"execution_environment_id" integer,
	"forks" integer,
	"job_slice_count" integer,
	"timeout" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "webhook_deliveries" (
	"template_id" integer NOT NULL,
	"guid" text NOT NULL,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "webhook_deliveries_template_id_guid_pk" PRIMARY KEY("template_id","guid")
);
--> statement-breakpoint
CREATE TABLE "workflow_approval_templates" (
	"id" integer PRIMARY KEY DEFAULT nextval('unified_job_template_id_seq') NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"timeout" integer DEFAULT 0 NOT NULL,
	"status" text DEFAULT 'never updated' NOT NULL,
	"last_job_id" integer,
	"current_job_id" integer,
	"last_job_failed" boolean DEFAULT false NOT NULL,
	"last_job_run" timestamp(6) with time zone,
	"next_job_run" timestamp(6) with time zone,
	"next_schedule_id" integer,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "workflow_job_template_edges" (
	"parent_id" integer NOT NULL,
	"child_id" integer NOT NULL,
	"kind" text NOT NULL,
	CONSTRAINT "workflow_job_template_edges_parent_id_child_id_pk" PRIMARY KEY("parent_id","child_id")
);
--> statement-breakpoint
CREATE TABLE "workflow_job_template_node_credentials" (
	"node_id" integer NOT NULL,
	"credential_id" integer NOT NULL,
	CONSTRAINT "workflow_job_template_node_credentials_node_id_credential_id_pk" PRIMARY KEY("node_id","credential_id")
);
--> statement-breakpoint
CREATE TABLE "workflow_job_template_node_instance_groups" (
	"node_id" integer NOT NULL,
	"instance_group_id" integer NOT NULL,
	"position" integer NOT NULL,
	CONSTRAINT "workflow_job_template_node_instance_groups_node_id_instance_group_id_pk" PRIMARY KEY("node_id","instance_group_id")
);
--> statement-breakpoint
CREATE TABLE "workflow_job_template_nodes" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "workflow_job_template_nodes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"workflow_job_template_id" integer NOT NULL,
	"unified_job_template_id" integer,
	"template_type" text,
	"identifier" text NOT NULL,
	"all_parents_must_converge" boolean DEFAULT false NOT NULL,
	"extra_data" json DEFAULT '{}'::json NOT NULL,
	"inventory_id" integer,
	"scm_branch" text,
	"job_type" text,
	"job_tags" text,
	"skip_tags" text,
	"limit" text,
	"diff_mode" boolean,
	"verbosity" integer,
	"execution_environment_id" integer,
	"forks" integer,
	"job_slice_count" integer,
	"timeout" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "workflow_job_template_nodes_workflowJobTemplateId_identifier_unique" UNIQUE("workflow_job_template_id","identifier")
);
--> statement-breakpoint
CREATE TABLE "workflow_job_templates" (
	"id" integer PRIMARY KEY DEFAULT nextval('unified_job_template_id_seq') NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"organization_id" integer,
	"extra_vars" text DEFAULT '' NOT NULL,
	"survey_enabled" boolean DEFAULT false NOT NULL,
	"survey_spec" json DEFAULT '{}'::json NOT NULL,
	"allow_simultaneous" boolean DEFAULT false NOT NULL,
	"inventory_id" integer,
	"limit" text,
	"scm_branch" text,
	"job_tags" text,
	"skip_tags" text,
	"ask_variables_on_launch" boolean DEFAULT false NOT NULL,
	"ask_inventory_on_launch" boolean DEFAULT false NOT NULL,
	"ask_scm_branch_on_launch" boolean DEFAULT false NOT NULL,
	"ask_limit_on_launch" boolean DEFAULT false NOT NULL,
	"ask_labels_on_launch" boolean DEFAULT false NOT NULL,
	"ask_skip_tags_on_launch" boolean DEFAULT false NOT NULL,
	"ask_tags_on_launch" boolean DEFAULT false NOT NULL,
	"webhook_service" text DEFAULT '' NOT NULL,
	"webhook_credential_id" integer,
	"webhook_key" text DEFAULT '' NOT NULL,
	"status" text DEFAULT 'never updated' NOT NULL,
	"last_job_id" integer,
	"current_job_id" integer,
	"last_job_failed" boolean DEFAULT false NOT NULL,
	"last_job_run" timestamp(6) with time zone,
	"next_job_run" timestamp(6) with time zone,
	"next_schedule_id" integer,
	"created_by_id" integer,
	"modified_by_id" integer,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"modified" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "outbox" RENAME COLUMN "job_id" TO "subject_id";--> statement-breakpoint
ALTER TABLE "outbox" DROP CONSTRAINT "outbox_job_id_unified_jobs_id_fk";
--> statement-breakpoint
DROP INDEX "outbox_job_id_kind_index";--> statement-breakpoint
ALTER TABLE "job_templates" ADD COLUMN "container" json;--> statement-breakpoint
ALTER TABLE "job_templates" ADD COLUMN "webhook_key" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "job_templates" ADD COLUMN "next_job_run" timestamp(6) with time zone;--> statement-breakpoint
ALTER TABLE "job_templates" ADD COLUMN "next_schedule_id" integer;--> statement-breakpoint
ALTER TABLE "projects" ADD COLUMN "next_job_run" timestamp(6) with time zone;--> statement-breakpoint
ALTER TABLE "projects" ADD COLUMN "next_schedule_id" integer;--> statement-breakpoint
ALTER TABLE "projects" ADD COLUMN "inventory_files" json DEFAULT '[]'::json NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "workflow_job_id" integer;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "schedule_id" integer;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "container" json;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "inventory_update_ids" json DEFAULT '[]'::json NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "module_name" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "module_args" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "inventory_source_id" integer;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "source" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "source_path" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "source_vars" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "enabled_var" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "enabled_value" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "host_filter" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "overwrite" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "overwrite_vars" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "license_error" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "org_host_limit_error" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "system_job_template_id" integer;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "result_stdout" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "workflow_job_template_id" integer;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "is_sliced_job" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "paused" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "continued_from_id" integer;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "webhook_service" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "webhook_credential_id" integer;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "webhook_guid" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "workflow_approval_template_id" integer;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "approval_expiration" timestamp(6) with time zone;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "timed_out" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "approved_or_denied_by_id" integer;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "asked" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "organization_galaxy_credentials" ADD CONSTRAINT "organization_galaxy_credentials_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "organization_galaxy_credentials" ADD CONSTRAINT "organization_galaxy_credentials_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credentials"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_labels" ADD CONSTRAINT "inventory_labels_inventory_id_inventories_id_fk" FOREIGN KEY ("inventory_id") REFERENCES "public"."inventories"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_labels" ADD CONSTRAINT "inventory_labels_label_id_labels_id_fk" FOREIGN KEY ("label_id") REFERENCES "public"."labels"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_template_labels" ADD CONSTRAINT "job_template_labels_job_template_id_job_templates_id_fk" FOREIGN KEY ("job_template_id") REFERENCES "public"."job_templates"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_template_labels" ADD CONSTRAINT "job_template_labels_label_id_labels_id_fk" FOREIGN KEY ("label_id") REFERENCES "public"."labels"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "labels" ADD CONSTRAINT "labels_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "labels" ADD CONSTRAINT "labels_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "labels" ADD CONSTRAINT "labels_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedule_labels" ADD CONSTRAINT "schedule_labels_schedule_id_schedules_id_fk" FOREIGN KEY ("schedule_id") REFERENCES "public"."schedules"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedule_labels" ADD CONSTRAINT "schedule_labels_label_id_labels_id_fk" FOREIGN KEY ("label_id") REFERENCES "public"."labels"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_job_labels" ADD CONSTRAINT "unified_job_labels_job_id_unified_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."unified_jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_job_labels" ADD CONSTRAINT "unified_job_labels_label_id_labels_id_fk" FOREIGN KEY ("label_id") REFERENCES "public"."labels"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_node_labels" ADD CONSTRAINT "workflow_job_node_labels_node_id_workflow_job_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."workflow_job_nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_node_labels" ADD CONSTRAINT "workflow_job_node_labels_label_id_labels_id_fk" FOREIGN KEY ("label_id") REFERENCES "public"."labels"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_template_labels" ADD CONSTRAINT "workflow_job_template_labels_workflow_job_template_id_workflow_job_templates_id_fk" FOREIGN KEY ("workflow_job_template_id") REFERENCES "public"."workflow_job_templates"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_template_labels" ADD CONSTRAINT "workflow_job_template_labels_label_id_labels_id_fk" FOREIGN KEY ("label_id") REFERENCES "public"."labels"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_template_node_labels" ADD CONSTRAINT "workflow_job_template_node_labels_node_id_workflow_job_template_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."workflow_job_template_nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_template_node_labels" ADD CONSTRAINT "workflow_job_template_node_labels_label_id_labels_id_fk" FOREIGN KEY ("label_id") REFERENCES "public"."labels"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notification_attachments" ADD CONSTRAINT "notification_attachments_notification_template_id_notification_templates_id_fk" FOREIGN KEY ("notification_template_id") REFERENCES "public"."notification_templates"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notification_attachments" ADD CONSTRAINT "notification_attachments_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notification_attachments" ADD CONSTRAINT "notification_attachments_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notification_attachments" ADD CONSTRAINT "notification_attachments_job_template_id_job_templates_id_fk" FOREIGN KEY ("job_template_id") REFERENCES "public"."job_templates"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notification_attachments" ADD CONSTRAINT "notification_attachments_workflow_job_template_id_workflow_job_templates_id_fk" FOREIGN KEY ("workflow_job_template_id") REFERENCES "public"."workflow_job_templates"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notification_attachments" ADD CONSTRAINT "notification_attachments_inventory_source_id_inventory_sources_id_fk" FOREIGN KEY ("inventory_source_id") REFERENCES "public"."inventory_sources"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notification_attachments" ADD CONSTRAINT "notification_attachments_system_job_template_id_system_job_templates_id_fk" FOREIGN KEY ("system_job_template_id") REFERENCES "public"."system_job_templates"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notification_templates" ADD CONSTRAINT "notification_templates_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notification_templates" ADD CONSTRAINT "notification_templates_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notification_templates" ADD CONSTRAINT "notification_templates_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notifications" ADD CONSTRAINT "notifications_notification_template_id_notification_templates_id_fk" FOREIGN KEY ("notification_template_id") REFERENCES "public"."notification_templates"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notifications" ADD CONSTRAINT "notifications_job_id_unified_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."unified_jobs"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedule_runs" ADD CONSTRAINT "schedule_runs_schedule_id_schedules_id_fk" FOREIGN KEY ("schedule_id") REFERENCES "public"."schedules"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedule_runs" ADD CONSTRAINT "schedule_runs_job_id_unified_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."unified_jobs"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedule_credentials" ADD CONSTRAINT "schedule_credentials_schedule_id_schedules_id_fk" FOREIGN KEY ("schedule_id") REFERENCES "public"."schedules"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedule_credentials" ADD CONSTRAINT "schedule_credentials_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credentials"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedule_instance_groups" ADD CONSTRAINT "schedule_instance_groups_schedule_id_schedules_id_fk" FOREIGN KEY ("schedule_id") REFERENCES "public"."schedules"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedule_instance_groups" ADD CONSTRAINT "schedule_instance_groups_instance_group_id_instance_groups_id_fk" FOREIGN KEY ("instance_group_id") REFERENCES "public"."instance_groups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_inventory_id_inventories_id_fk" FOREIGN KEY ("inventory_id") REFERENCES "public"."inventories"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_execution_environment_id_execution_environments_id_fk" FOREIGN KEY ("execution_environment_id") REFERENCES "public"."execution_environments"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_inputs" ADD CONSTRAINT "inventory_inputs_inventory_id_inventories_id_fk" FOREIGN KEY ("inventory_id") REFERENCES "public"."inventories"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_inputs" ADD CONSTRAINT "inventory_inputs_input_inventory_id_inventories_id_fk" FOREIGN KEY ("input_inventory_id") REFERENCES "public"."inventories"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_source_credentials" ADD CONSTRAINT "inventory_source_credentials_inventory_source_id_inventory_sources_id_fk" FOREIGN KEY ("inventory_source_id") REFERENCES "public"."inventory_sources"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_source_credentials" ADD CONSTRAINT "inventory_source_credentials_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credentials"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_source_groups" ADD CONSTRAINT "inventory_source_groups_inventory_source_id_inventory_sources_id_fk" FOREIGN KEY ("inventory_source_id") REFERENCES "public"."inventory_sources"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_source_groups" ADD CONSTRAINT "inventory_source_groups_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_source_hosts" ADD CONSTRAINT "inventory_source_hosts_inventory_source_id_inventory_sources_id_fk" FOREIGN KEY ("inventory_source_id") REFERENCES "public"."inventory_sources"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_source_hosts" ADD CONSTRAINT "inventory_source_hosts_host_id_hosts_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."hosts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_sources" ADD CONSTRAINT "inventory_sources_inventory_id_inventories_id_fk" FOREIGN KEY ("inventory_id") REFERENCES "public"."inventories"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_sources" ADD CONSTRAINT "inventory_sources_source_project_id_projects_id_fk" FOREIGN KEY ("source_project_id") REFERENCES "public"."projects"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_sources" ADD CONSTRAINT "inventory_sources_execution_environment_id_execution_environments_id_fk" FOREIGN KEY ("execution_environment_id") REFERENCES "public"."execution_environments"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_sources" ADD CONSTRAINT "inventory_sources_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "inventory_sources" ADD CONSTRAINT "inventory_sources_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "system_job_templates" ADD CONSTRAINT "system_job_templates_execution_environment_id_execution_environments_id_fk" FOREIGN KEY ("execution_environment_id") REFERENCES "public"."execution_environments"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_edges" ADD CONSTRAINT "workflow_job_edges_parent_id_workflow_job_nodes_id_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."workflow_job_nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_edges" ADD CONSTRAINT "workflow_job_edges_child_id_workflow_job_nodes_id_fk" FOREIGN KEY ("child_id") REFERENCES "public"."workflow_job_nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_node_credentials" ADD CONSTRAINT "workflow_job_node_credentials_node_id_workflow_job_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."workflow_job_nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_node_credentials" ADD CONSTRAINT "workflow_job_node_credentials_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credentials"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_node_instance_groups" ADD CONSTRAINT "workflow_job_node_instance_groups_node_id_workflow_job_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."workflow_job_nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_node_instance_groups" ADD CONSTRAINT "workflow_job_node_instance_groups_instance_group_id_instance_groups_id_fk" FOREIGN KEY ("instance_group_id") REFERENCES "public"."instance_groups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_nodes" ADD CONSTRAINT "workflow_job_nodes_workflow_job_id_unified_jobs_id_fk" FOREIGN KEY ("workflow_job_id") REFERENCES "public"."unified_jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_nodes" ADD CONSTRAINT "workflow_job_nodes_job_id_unified_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."unified_jobs"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_nodes" ADD CONSTRAINT "workflow_job_nodes_reuse_job_id_unified_jobs_id_fk" FOREIGN KEY ("reuse_job_id") REFERENCES "public"."unified_jobs"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_nodes" ADD CONSTRAINT "workflow_job_nodes_inventory_id_inventories_id_fk" FOREIGN KEY ("inventory_id") REFERENCES "public"."inventories"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_nodes" ADD CONSTRAINT "workflow_job_nodes_execution_environment_id_execution_environments_id_fk" FOREIGN KEY ("execution_environment_id") REFERENCES "public"."execution_environments"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_approval_templates" ADD CONSTRAINT "workflow_approval_templates_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_approval_templates" ADD CONSTRAINT "workflow_approval_templates_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_template_edges" ADD CONSTRAINT "workflow_job_template_edges_parent_id_workflow_job_template_nodes_id_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."workflow_job_template_nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_template_edges" ADD CONSTRAINT "workflow_job_template_edges_child_id_workflow_job_template_nodes_id_fk" FOREIGN KEY ("child_id") REFERENCES "public"."workflow_job_template_nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_template_node_credentials" ADD CONSTRAINT "workflow_job_template_node_credentials_node_id_workflow_job_template_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."workflow_job_template_nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_template_node_credentials" ADD CONSTRAINT "workflow_job_template_node_credentials_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credentials"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_template_node_instance_groups" ADD CONSTRAINT "workflow_job_template_node_instance_groups_node_id_workflow_job_template_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."workflow_job_template_nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_template_node_instance_groups" ADD CONSTRAINT "workflow_job_template_node_instance_groups_instance_group_id_instance_groups_id_fk" FOREIGN KEY ("instance_group_id") REFERENCES "public"."instance_groups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_template_nodes" ADD CONSTRAINT "workflow_job_template_nodes_workflow_job_template_id_workflow_job_templates_id_fk" FOREIGN KEY ("workflow_job_template_id") REFERENCES "public"."workflow_job_templates"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_template_nodes" ADD CONSTRAINT "workflow_job_template_nodes_inventory_id_inventories_id_fk" FOREIGN KEY ("inventory_id") REFERENCES "public"."inventories"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_template_nodes" ADD CONSTRAINT "workflow_job_template_nodes_execution_environment_id_execution_environments_id_fk" FOREIGN KEY ("execution_environment_id") REFERENCES "public"."execution_environments"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_templates" ADD CONSTRAINT "workflow_job_templates_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_templates" ADD CONSTRAINT "workflow_job_templates_inventory_id_inventories_id_fk" FOREIGN KEY ("inventory_id") REFERENCES "public"."inventories"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_templates" ADD CONSTRAINT "workflow_job_templates_webhook_credential_id_credentials_id_fk" FOREIGN KEY ("webhook_credential_id") REFERENCES "public"."credentials"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_templates" ADD CONSTRAINT "workflow_job_templates_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_job_templates" ADD CONSTRAINT "workflow_job_templates_modified_by_id_users_id_fk" FOREIGN KEY ("modified_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "inventory_labels_label_id_index" ON "inventory_labels" USING btree ("label_id");--> statement-breakpoint
CREATE INDEX "job_template_labels_label_id_index" ON "job_template_labels" USING btree ("label_id");--> statement-breakpoint
CREATE INDEX "schedule_labels_label_id_index" ON "schedule_labels" USING btree ("label_id");--> statement-breakpoint
CREATE INDEX "unified_job_labels_label_id_index" ON "unified_job_labels" USING btree ("label_id");--> statement-breakpoint
CREATE INDEX "workflow_job_node_labels_label_id_index" ON "workflow_job_node_labels" USING btree ("label_id");--> statement-breakpoint
CREATE INDEX "workflow_job_template_labels_label_id_index" ON "workflow_job_template_labels" USING btree ("label_id");--> statement-breakpoint
CREATE INDEX "workflow_job_template_node_labels_label_id_index" ON "workflow_job_template_node_labels" USING btree ("label_id");--> statement-breakpoint
CREATE INDEX "notification_attachments_organization_id_index" ON "notification_attachments" USING btree ("organization_id");--> statement-breakpoint
CREATE INDEX "notification_attachments_project_id_index" ON "notification_attachments" USING btree ("project_id");--> statement-breakpoint
CREATE INDEX "notification_attachments_job_template_id_index" ON "notification_attachments" USING btree ("job_template_id");--> statement-breakpoint
CREATE INDEX "notification_attachments_workflow_job_template_id_index" ON "notification_attachments" USING btree ("workflow_job_template_id");--> statement-breakpoint
CREATE INDEX "notification_attachments_inventory_source_id_index" ON "notification_attachments" USING btree ("inventory_source_id");--> statement-breakpoint
CREATE INDEX "notification_attachments_system_job_template_id_index" ON "notification_attachments" USING btree ("system_job_template_id");--> statement-breakpoint
CREATE INDEX "notifications_notification_template_id_index" ON "notifications" USING btree ("notification_template_id");--> statement-breakpoint
CREATE INDEX "notifications_job_id_index" ON "notifications" USING btree ("job_id");--> statement-breakpoint
CREATE UNIQUE INDEX "schedule_runs_schedule_id_instant_index" ON "schedule_runs" USING btree ("schedule_id","instant");--> statement-breakpoint
CREATE INDEX "schedule_runs_state_index" ON "schedule_runs" USING btree ("state");--> statement-breakpoint
CREATE INDEX "schedule_runs_job_id_index" ON "schedule_runs" USING btree ("job_id");--> statement-breakpoint
CREATE INDEX "schedule_credentials_credential_id_index" ON "schedule_credentials" USING btree ("credential_id");--> statement-breakpoint
CREATE INDEX "schedules_next_run_index" ON "schedules" USING btree ("next_run");--> statement-breakpoint
CREATE INDEX "schedules_unified_job_template_id_next_run_index" ON "schedules" USING btree ("unified_job_template_id","next_run");--> statement-breakpoint
CREATE INDEX "inventory_inputs_input_inventory_id_index" ON "inventory_inputs" USING btree ("input_inventory_id");--> statement-breakpoint
CREATE INDEX "inventory_source_credentials_credential_id_index" ON "inventory_source_credentials" USING btree ("credential_id");--> statement-breakpoint
CREATE INDEX "inventory_source_groups_group_id_index" ON "inventory_source_groups" USING btree ("group_id");--> statement-breakpoint
CREATE INDEX "inventory_source_hosts_host_id_index" ON "inventory_source_hosts" USING btree ("host_id");--> statement-breakpoint
CREATE INDEX "inventory_sources_inventory_id_index" ON "inventory_sources" USING btree ("inventory_id");--> statement-breakpoint
CREATE INDEX "inventory_sources_source_project_id_index" ON "inventory_sources" USING btree ("source_project_id");--> statement-breakpoint
CREATE INDEX "workflow_job_edges_child_id_index" ON "workflow_job_edges" USING btree ("child_id");--> statement-breakpoint
CREATE INDEX "workflow_job_node_credentials_credential_id_index" ON "workflow_job_node_credentials" USING btree ("credential_id");--> statement-breakpoint
CREATE INDEX "workflow_job_nodes_workflow_job_id_index" ON "workflow_job_nodes" USING btree ("workflow_job_id");--> statement-breakpoint
CREATE INDEX "workflow_job_nodes_job_id_index" ON "workflow_job_nodes" USING btree ("job_id");--> statement-breakpoint
CREATE INDEX "workflow_job_nodes_reuse_job_id_index" ON "workflow_job_nodes" USING btree ("reuse_job_id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_created_index" ON "webhook_deliveries" USING btree ("created");--> statement-breakpoint
CREATE INDEX "workflow_job_template_edges_child_id_index" ON "workflow_job_template_edges" USING btree ("child_id");--> statement-breakpoint
CREATE INDEX "workflow_job_template_node_credentials_credential_id_index" ON "workflow_job_template_node_credentials" USING btree ("credential_id");--> statement-breakpoint
CREATE INDEX "workflow_job_template_nodes_unified_job_template_id_index" ON "workflow_job_template_nodes" USING btree ("unified_job_template_id");--> statement-breakpoint
CREATE INDEX "workflow_job_templates_organization_id_name_index" ON "workflow_job_templates" USING btree ("organization_id","name");--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_workflow_job_id_unified_jobs_id_fk" FOREIGN KEY ("workflow_job_id") REFERENCES "public"."unified_jobs"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_schedule_id_schedules_id_fk" FOREIGN KEY ("schedule_id") REFERENCES "public"."schedules"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_inventory_source_id_inventory_sources_id_fk" FOREIGN KEY ("inventory_source_id") REFERENCES "public"."inventory_sources"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_system_job_template_id_system_job_templates_id_fk" FOREIGN KEY ("system_job_template_id") REFERENCES "public"."system_job_templates"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_workflow_job_template_id_workflow_job_templates_id_fk" FOREIGN KEY ("workflow_job_template_id") REFERENCES "public"."workflow_job_templates"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_continued_from_id_unified_jobs_id_fk" FOREIGN KEY ("continued_from_id") REFERENCES "public"."unified_jobs"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_webhook_credential_id_credentials_id_fk" FOREIGN KEY ("webhook_credential_id") REFERENCES "public"."credentials"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_workflow_approval_template_id_workflow_approval_templates_id_fk" FOREIGN KEY ("workflow_approval_template_id") REFERENCES "public"."workflow_approval_templates"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD CONSTRAINT "unified_jobs_approved_or_denied_by_id_users_id_fk" FOREIGN KEY ("approved_or_denied_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "idempotency_keys_created_index" ON "idempotency_keys" USING btree ("created");--> statement-breakpoint
CREATE INDEX "unified_jobs_workflow_job_id_index" ON "unified_jobs" USING btree ("workflow_job_id");--> statement-breakpoint
CREATE INDEX "unified_jobs_schedule_id_index" ON "unified_jobs" USING btree ("schedule_id");--> statement-breakpoint
CREATE UNIQUE INDEX "outbox_subject_id_kind_index" ON "outbox" USING btree ("subject_id","kind");--> statement-breakpoint
CREATE VIEW "public"."unified_job_templates" AS (
  SELECT id, name, description, status, last_job_id, current_job_id, last_job_failed, last_job_run, next_job_run, next_schedule_id, created, modified, 'job_template' AS type, playbook, organization_id, created_by_id, modified_by_id FROM "job_templates"
  UNION ALL SELECT id, name, description, status, last_job_id, current_job_id, last_job_failed, last_job_run, next_job_run, next_schedule_id, created, modified, 'project', '', organization_id, created_by_id, modified_by_id FROM "projects"
  UNION ALL SELECT id, name, description, status, last_job_id, current_job_id, last_job_failed, last_job_run, next_job_run, next_schedule_id, created, modified, 'inventory_source', '', NULL, created_by_id, modified_by_id FROM "inventory_sources"
  UNION ALL SELECT id, name, description, status, last_job_id, current_job_id, last_job_failed, last_job_run, next_job_run, next_schedule_id, created, modified, 'system_job_template', '', NULL, NULL, NULL FROM "system_job_templates"
  UNION ALL SELECT id, name, description, status, last_job_id, current_job_id, last_job_failed, last_job_run, next_job_run, next_schedule_id, created, modified, 'workflow_job_template', '', organization_id, created_by_id, modified_by_id FROM "workflow_job_templates"
  UNION ALL SELECT id, name, description, status, last_job_id, current_job_id, last_job_failed, last_job_run, next_job_run, next_schedule_id, created, modified, 'workflow_approval_template', '', NULL, created_by_id, modified_by_id FROM "workflow_approval_templates");