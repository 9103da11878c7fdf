select * rename (shop as store_id) from {{ source('export', 'shops') }}
