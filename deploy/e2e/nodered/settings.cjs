// Node-RED without an editor, on an address of the test.
module.exports = {
  uiHost: '127.0.0.1',
  httpAdminRoot: false,
  flowFile: 'flows.json',
  telemetry: {enabled: false},
};
