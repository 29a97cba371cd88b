"""Real exchanges with vendors, replayed. They lie beside the checkout; without them there is nothing to replay."""
