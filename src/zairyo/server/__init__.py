"""The platform: intake, objects, catalogue, access, translation, api."""
