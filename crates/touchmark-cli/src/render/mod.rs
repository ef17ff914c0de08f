//! Values into text for people: verdicts, evidence, reports. Decides nothing.
