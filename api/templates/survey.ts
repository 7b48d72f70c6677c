import { eq } from 'drizzle-orm'
import { encrypted } from '../../model/encrypted.ts'
import { type SurveyQuestion, surveyQuestions, surveySpecError } from '../../model/survey.ts'
import type { Variables } from '../../model/variables.ts'
import { jobTemplates } from '../../store/schema/templates.ts'
import { isSealed, type Keyring, open, reservedBeginning, seal, surveyContext } from '../../store/secrets.ts'
import { ApiError } from '../errors.ts'
import type { Action } from '../resource.ts'

type TemplateRow = typeof jobTemplates.$inferSelect

/** `/job_templates/N/survey_spec/`. */
export const surveyAction: Action<TemplateRow> = {
  async GET({ object }) {
    return { status: 200, body: shownSpec(object.surveySpec) }
  },
  async POST({ object, body, context }) {
    const error = surveySpecError(body)
    if (error) throw new ApiError(400, { error })
    const spec = sealDefaults(context.deps.keyring, object, body)
    await context.db.update(jobTemplates).set({ surveySpec: spec }).where(eq(jobTemplates.id, object.id))
    return { status: 200 }
  },
  async DELETE({ object, context }) {
    await context.db.update(jobTemplates).set({ surveySpec: {} }).where(eq(jobTemplates.id, object.id))
    return { status: 200, body: {} }
  },
  permission: { POST: 'edit' },
  title: 'Job Template Survey Spec',
}

/** A template's spec for its copy: sealed defaults open for the copy only. */
export function resealSurvey(keyring: Keyring, source: TemplateRow, copyId: number): Variables {
  if (!Array.isArray(source.surveySpec.spec)) return source.surveySpec
  const spec = surveyQuestions(source.surveySpec).map((question) => {
    if (!isSealed(question.default)) return question
    const plain = open(keyring, question.default, surveyContext(source.id, question.variable))
    return { ...question, default: seal(keyring, plain, surveyContext(copyId, question.variable)) }
  })
  return { ...source.surveySpec, spec }
}

/** What is stored of a posted spec: defaults of password questions sealed, the placeholder standing for the one stored before. */
function sealDefaults(keyring: Keyring, template: TemplateRow, body: Variables): Variables {
  const stored = new Map(surveyQuestions(template.surveySpec).map((question) => [question.variable, question.default]))
  const spec = surveyQuestions(body).map((question): SurveyQuestion => {
    if (isSealed(question.default)) {
      throw new ApiError(400, { error: `Default of survey question ${question.variable}: ${reservedBeginning}` })
    }
    if (question.type !== 'password' || typeof question.default !== 'string' || question.default === '') return question
    const { variable } = question
    if (question.default === encrypted) {
      if (!isSealed(stored.get(variable))) {
        throw new ApiError(400, {
          error: `$encrypted$ is a reserved keyword for password question defaults, survey question ${variable} has none stored.`,
        })
      }
      return { ...question, default: stored.get(variable) }
    }
    return { ...question, default: seal(keyring, question.default, surveyContext(template.id, variable)) }
  })
  return { name: body.name, description: body.description, spec }
}

/** A spec as clients read it: sealed defaults as the placeholder. */
function shownSpec(spec: Variables): Variables {
  if (!Array.isArray(spec.spec)) return spec
  return {
    ...spec,
    spec: surveyQuestions(spec).map((question) =>
      isSealed(question.default) ? { ...question, default: encrypted } : question,
    ),
  }
}
