export { type Config, ConfigError, EXIT_CONFIG, loadConfig, type Role } from './config';
export { checkHealth, type Health, type HealthChecks, startHealthServer } from './health';
export { addLogContext, createLogger, type LogFields, type Logger, withLogContext } from './logger';
export { runMain } from './run-main';
export { onShutdown, type ShutdownStep } from './shutdown';
export { within } from './within';
