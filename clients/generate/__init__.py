"""Generates the clients from the registry of operations. Run by `make clients`.

    Python      strongroom_client/types.py, operations.py, errors.py
    TypeScript  src/schema.d.ts, from the OpenAPI document, by openapi-typescript
    Postman     a collection

It also generates strongroom/entrypoints/cli/routes.py for the command line.

The output depends only on the registry, byte for byte. A test compares it with the files in the repository.
"""
