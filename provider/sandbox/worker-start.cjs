/**
 * Where the threads of a piscina pool start; `workerData.entry` is the module whose default export they run. piscina loads
 * its file with `require`, and Node aborts the whole process when a thread is terminated while it makes an ES module fit for
 * `require` (an assertion in `CreateRequiredModuleFacade`, Node 24.21). A stranger who cancels at the right moment could do
 * that on purpose, so ES modules are imported here, where a termination is harmless.
 */
const { workerData } = require('node:worker_threads');
module.exports = import(workerData.entry).then((entry) => entry.default);
