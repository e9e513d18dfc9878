export { Activity } from './activity.ts';
export type { EndedJob, FailureFigures, HandlerFigures, LiveJob } from './activity.ts';
export { createJobs } from './jobs.ts';
export type { Jobs } from './jobs.ts';
export { LimitError, outputCid, PriceLimitError, receiptMeterVersion, usageOf } from './run-job.ts';
export { verifyReceipt } from './verify-receipt.ts';
export type { Verification, VerifyComponents } from './verify-receipt.ts';
export { JOBS_LIMITS } from './types.ts';
export type { JobsComponents, JobsLimits, JobsStats } from './types.ts';
