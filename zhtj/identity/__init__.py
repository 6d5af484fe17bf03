"""Who a member is and what proves it: identity verification, the application form, the registration sheet."""
