"""The settings of the service and of the command line. Nothing else reads the environment."""
