import { eq } from 'drizzle-orm'
import { encrypted } from '../../model/encrypted.ts'
import { type SurveyQuestion, surveyQuestions, surveySpecError } from '../../model/survey.ts'
import type { Variables } from '../../model/variables.ts'
import type { jobTemplates } from '../../store/schema/templates.ts'
import type { workflowJobTemplates } from '../../store/schema/workflows.ts'
import { isSealed, type Keyring, open, reservedBeginning, seal, surveyContext } from '../../store/secrets.ts'
import type { Row } from '../context.ts'
import { ApiError } from '../errors.ts'
import type { Action } from '../resource.ts'

/** What has a survey, as far as this looks at it. */
interface Surveyed extends Row {
  surveySpec: Variables
}

/** `…/survey_spec/` of templates of either kind. */
export function surveyAction(
  table: typeof jobTemplates | typeof workflowJobTemplates,
  title: string,
): Action<Surveyed> {
  return {
    async GET({ object }) {
      return { status: 200, body: shownSpec(object.surveySpec) }
    },
    async POST({ object, body, context }) {
      const error = surveySpecError(body)
      if (error) throw new ApiError(400, { error })
      const spec = sealDefaults(context.deps.keyring, object, body)
      await context.db.update(table).set({ surveySpec: spec }).where(eq(table.id, object.id))
      return { status: 200 }
    },
    async DELETE({ object, context }) {
      await context.db.update(table).set({ surveySpec: {} }).where(eq(table.id, object.id))
      return { status: 200, body: {} }
    },
    permission: { POST: 'edit' },
    title,
  }
}

/** A template's spec for its copy: sealed defaults open for the copy only. */
export function resealSurvey(keyring: Keyring, source: Surveyed, copyId: number): Variables {
  if (!Array.isArray(source.surveySpec.spec)) return source.surveySpec
  const spec = surveyQuestions(source.surveySpec).map((question) => {
    if (!isSealed(question.default)) return question
    const plain = open(keyring, question.default, surveyContext(source.id, question.variable))
    return { ...question, default: seal(keyring, plain, surveyContext(copyId, question.variable)) }
  })
  return { ...source.surveySpec, spec }
}

/** What is stored of a posted spec: defaults of password questions sealed, the placeholder standing for the one stored before. */
function sealDefaults(keyring: Keyring, template: Surveyed, body: Variables): Variables {
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
