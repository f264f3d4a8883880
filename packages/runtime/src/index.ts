export { type Config, ConfigError, EXIT_CONFIG, loadConfig, type Role } from './config';
export { crashHandler } from './crash';
export { checkHealth, type Health, type HealthChecks, startHealthServer } from './health';
export { createLogger, type LogFields, type Logger } from './logger';
export { createMetrics, type Metrics } from './metrics';
export { runMain } from './run-main';
export { onShutdown, type ShutdownStep } from './shutdown';
export { within } from './within';
