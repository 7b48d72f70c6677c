CREATE TABLE "post_mortems" (
	"job_id" integer NOT NULL,
	"attempt" integer NOT NULL,
	"document" json NOT NULL,
	CONSTRAINT "post_mortems_job_id_attempt_pk" PRIMARY KEY("job_id","attempt")
);
--> statement-breakpoint
CREATE TABLE "preflight_reports" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "preflight_reports_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"instance_group_id" integer,
	"credential_id" integer,
	"trigger" text NOT NULL,
	"run_pod" boolean DEFAULT true NOT NULL,
	"ok" boolean,
	"report" json,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"finished" timestamp(6) with time zone
);
--> statement-breakpoint
CREATE TABLE "reaper_passes" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "reaper_passes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"dry_run" boolean NOT NULL,
	"trigger" text NOT NULL,
	"created_by_id" integer,
	"report" json,
	"created" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"finished" timestamp(6) with time zone
);
--> statement-breakpoint
CREATE TABLE "workers" (
	"id" text PRIMARY KEY NOT NULL,
	"node_name" text NOT NULL,
	"started" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"seen" timestamp(6) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "instance_groups" ADD COLUMN "draining_since" timestamp(6) with time zone;--> statement-breakpoint
ALTER TABLE "instance_groups" ADD COLUMN "drain_deadline" timestamp(6) with time zone;--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "fair_share_weight" double precision DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "passed_over" json DEFAULT '[]'::json NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "priority" integer DEFAULT 3 NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "raised_at" timestamp(6) with time zone;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "child_priority" integer;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "retry_policy" json DEFAULT '{}'::json NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "hold_on_failure_seconds" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "unified_jobs" ADD COLUMN "retries" json DEFAULT '{}'::json NOT NULL;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "impact" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "memory_bytes" bigint;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "held_until" timestamp(6) with time zone;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "offered_at" timestamp(6) with time zone;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "last_output" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "group_brakes" ADD COLUMN "kind" text DEFAULT 'quota' NOT NULL;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "urgency" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "organization_id" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "schedules" ADD COLUMN "priority" integer;--> statement-breakpoint
ALTER TABLE "job_templates" ADD COLUMN "priority" integer DEFAULT 3 NOT NULL;--> statement-breakpoint
ALTER TABLE "job_templates" ADD COLUMN "ask_priority_on_launch" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "job_templates" ADD COLUMN "retry_policy" json DEFAULT '{}'::json NOT NULL;--> statement-breakpoint
ALTER TABLE "job_templates" ADD COLUMN "hold_on_failure_seconds" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "workflow_job_nodes" ADD COLUMN "priority" integer;--> statement-breakpoint
ALTER TABLE "workflow_job_template_nodes" ADD COLUMN "priority" integer;--> statement-breakpoint
ALTER TABLE "workflow_job_templates" ADD COLUMN "priority" integer;--> statement-breakpoint
ALTER TABLE "workflow_job_templates" ADD COLUMN "ask_priority_on_launch" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "post_mortems" ADD CONSTRAINT "post_mortems_job_id_unified_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."unified_jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "preflight_reports" ADD CONSTRAINT "preflight_reports_instance_group_id_instance_groups_id_fk" FOREIGN KEY ("instance_group_id") REFERENCES "public"."instance_groups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "preflight_reports" ADD CONSTRAINT "preflight_reports_credential_id_credentials_id_fk" FOREIGN KEY ("credential_id") REFERENCES "public"."credentials"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "reaper_passes" ADD CONSTRAINT "reaper_passes_created_by_id_users_id_fk" FOREIGN KEY ("created_by_id") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "preflight_reports_instance_group_id_id_index" ON "preflight_reports" USING btree ("instance_group_id","id");--> statement-breakpoint
CREATE INDEX "preflight_reports_credential_id_id_index" ON "preflight_reports" USING btree ("credential_id","id");--> statement-breakpoint
CREATE INDEX "unified_jobs_raised_at_index" ON "unified_jobs" USING btree ("raised_at") WHERE raised_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX "outbox_urgency_organization_id_id_index" ON "outbox" USING btree ("urgency","organization_id","id");