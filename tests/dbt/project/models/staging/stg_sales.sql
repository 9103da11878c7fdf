select
    id as sales_id,
    cast(sold_at as date) as date_key,
    shop as store_id,
    article as product_id,
    amount as sales_amount,
    quantity as sales_quantity,
    partner as retailer_id
from {{ source('export', 'sales') }}
