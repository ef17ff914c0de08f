//! Session files of real agents, read into one neutral Run.
