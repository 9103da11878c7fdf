select * rename (article as product_id) from {{ source('export', 'articles') }}
